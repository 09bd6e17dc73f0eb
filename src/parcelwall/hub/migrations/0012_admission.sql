-- Tables and rows of admission that were adopted are facts; they are few, and asked for by kind.
DROP INDEX entry_tables;
CREATE INDEX entry_adopted ON entry (recorded_at) WHERE kind IN ('TableAdopted', 'AdmissionAdopted');

-- Who was refused room where, once per parcel and station. A refused command leaves no fact: without this, demand is
-- known only as far as it was served. No people's data.
CREATE TABLE refused (
  parcel uuid NOT NULL,
  station text NOT NULL,              -- the one that was asked for first
  refused_at timestamptz NOT NULL,
  arrival timestamptz NOT NULL,
  carrier text NOT NULL,
  service text NOT NULL,
  size text NOT NULL,                 -- '' where the parcel does not fit at all
  reason text NOT NULL,
  by_row text NOT NULL DEFAULT '',    -- the row of admission, if one stood against it
  PRIMARY KEY (station, parcel)
);
CREATE INDEX refused_time ON refused (refused_at);

-- What else an offer said: needed to judge it, and to write it into the promise that follows.
ALTER TABLE offer ADD COLUMN service text NOT NULL DEFAULT '';
ALTER TABLE offer ADD COLUMN seconds text[] NOT NULL DEFAULT '{}';          -- '' where none was named
ALTER TABLE offer ADD COLUMN ready_since timestamptz[] NOT NULL DEFAULT '{}';
ALTER TABLE offer ADD COLUMN ready_by timestamptz[] NOT NULL DEFAULT '{}';
