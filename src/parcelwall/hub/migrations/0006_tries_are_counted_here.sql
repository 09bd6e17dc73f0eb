-- How often something that may be guessed was tried lately: one count for all processes of the hub, over restarts.
CREATE TABLE tried (
  name text PRIMARY KEY,              -- what is tried, such as open/<parcel>; never what was typed
  since timestamptz NOT NULL,
  tries int NOT NULL CHECK (tries >= 0)
);
