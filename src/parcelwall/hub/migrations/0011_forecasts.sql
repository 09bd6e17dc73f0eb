-- What planning foretold, kept to be scored afterwards. No people in it. The first word on a day stands.
CREATE TABLE forecast (
  station text NOT NULL,
  hour smallint NOT NULL CHECK (hour BETWEEN 0 AND 23),      -- of the station's clock
  day date NOT NULL,                                         -- of which it speaks
  ahead smallint NOT NULL CHECK (ahead BETWEEN 1 AND 14),    -- days from the origin
  made_at timestamptz NOT NULL,
  model text NOT NULL,
  reason text NOT NULL,                                      -- why it is not told as usual; mostly empty
  told real NOT NULL CHECK (told >= 0),
  low real NOT NULL,
  high real NOT NULL CHECK (low <= told AND told <= high),
  came real,                                                 -- what was there; NULL until it is known
  PRIMARY KEY (station, hour, day, ahead)
);
CREATE INDEX forecast_not_scored ON forecast (day) WHERE came IS NULL;
-- The tables of a plan that operators approved are read when they change.
CREATE INDEX entry_tables ON entry (recorded_at) WHERE kind = 'TableAdopted';
