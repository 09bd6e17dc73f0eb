-- The operator's people: roles, areas, and what needs two of them (docs/operator.md).

-- Whoever was an operator could do everything, and still can.
ALTER TABLE carrier DROP CONSTRAINT carrier_role_check;
UPDATE carrier SET role = 'admin' WHERE role = 'operator';
ALTER TABLE carrier
  ADD CONSTRAINT known_roles CHECK (role IN ('carrier', 'viewer', 'technician', 'planner', 'operator', 'admin')),
  ADD area text[] NOT NULL DEFAULT '{}',           -- stations; none: everywhere
  ADD actor uuid UNIQUE;              -- what the journal calls them: random, but for those who were here before
UPDATE carrier SET actor = md5('parcelwall actor ' || id)::uuid;
ALTER TABLE carrier ALTER actor SET NOT NULL;

CREATE TABLE act (                    -- what is done from the console by one person, or by two
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('open_door', 'keep_longer')),
  station text REFERENCES station,    -- of one door; an area stands in the body
  body text NOT NULL,
  asked_by text NOT NULL REFERENCES carrier,
  asked_at timestamptz NOT NULL,
  until timestamptz NOT NULL,         -- nobody may agree later
  state text NOT NULL CHECK (state IN ('waiting', 'agreed', 'done', 'withdrawn')),
  agreed_by text REFERENCES carrier,
  due_at timestamptz,                 -- when it is carried out; until then it may be withdrawn
  outcome text NOT NULL DEFAULT '',
  CONSTRAINT two_are_two CHECK (agreed_by <> asked_by),
  CONSTRAINT agreed_acts_are_due CHECK (state <> 'agreed' OR due_at IS NOT NULL)
);
CREATE INDEX act_open ON act (state) WHERE state IN ('waiting', 'agreed');
CREATE INDEX act_asked ON act (asked_at);

-- Figures and histories read stretches of time; entries come nearly in order, so block ranges are enough.
CREATE INDEX entry_recorded ON entry USING brin (recorded_at) WITH (pages_per_range = 32, autosummarize = on);
-- Few, and asked for by kind: sites, policies, who looked at what.
CREATE INDEX entry_office ON entry (kind, happened_at) WHERE kind IN ('Looked', 'SiteNoted', 'PolicyAdopted');
