-- Tables that planning learnt and an operator adopted, and what was offered to whom. Neither is of the fold.

CREATE TABLE learnt (
  kind text NOT NULL CHECK (kind IN ('RoomTable', 'VisitCalendar', 'DwellCurve')),
  key text NOT NULL,                  -- the station; station/carrier; the stratum
  body text NOT NULL,                 -- the struct of rules.offers or rules.tables as JSON
  adopted_at timestamptz NOT NULL,
  PRIMARY KEY (kind, key)
);

-- Without this, demand is known only as far as we served it, and no chance that was told can be judged. No people's
-- data: not who asked for whom, not the place, not the parcel.
CREATE TABLE offer (
  id uuid PRIMARY KEY,
  offered_at timestamptz NOT NULL,
  arrival timestamptz NOT NULL,
  carrier text NOT NULL,
  stations text[] NOT NULL,
  sizes text[] NOT NULL,              -- '' where the parcel does not fit at all
  chances real[] NOT NULL,            -- null: only counts were known
  reasons text[] NOT NULL,            -- '' : it was offered
  chosen text                         -- the station that was reserved then, if one was
);
CREATE INDEX offer_time ON offer (offered_at);
