-- The hub's tables. `entry` is the journal and the truth; parcel, station, case_file are its fold (parcelwall verify);
-- the rest (people, keys, answers, links, notices) is not derived and is backed up with it.

CREATE TABLE writer (
  name text PRIMARY KEY,
  number bigint NOT NULL CHECK (number >= 0),
  hash bytea NOT NULL CHECK (length(hash) = 32)
) WITH (fillfactor = 50);

CREATE TABLE entry (
  writer text NOT NULL,
  number bigint NOT NULL CHECK (number > 0),
  kind text NOT NULL,
  happened_at timestamptz NOT NULL,
  body text NOT NULL,                 -- the exact text that is hashed; jsonb would reorder it
  hash bytea NOT NULL,
  recorded_at timestamptz NOT NULL,
  parcel uuid,
  revision int,                       -- orders the facts of one parcel; given under the parcel's lock
  tx bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),  -- followers read below the oldest running one
  PRIMARY KEY (writer, number),
  CHECK ((parcel IS NULL) = (revision IS NULL))
);
CREATE UNIQUE INDEX entry_parcel ON entry (parcel, revision) WHERE parcel IS NOT NULL;
CREATE INDEX entry_tx ON entry USING brin (tx) WITH (pages_per_range = 8, autosummarize = on);

CREATE FUNCTION entry_stays() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'an entry is never changed or deleted'; END $$;
CREATE TRIGGER entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
  FOR EACH STATEMENT EXECUTE FUNCTION entry_stays();

CREATE TABLE carrier (
  id text PRIMARY KEY,
  name text NOT NULL,
  key_hash bytea UNIQUE,              -- SHA-256 of the API key; keys are 256 random bits
  role text NOT NULL DEFAULT 'carrier' CHECK (role IN ('carrier', 'operator'))
);

CREATE TABLE station (
  id text PRIMARY KEY,
  config int NOT NULL DEFAULT 0,      -- rises with each StationConfigured, so that plans can be cached
  name text NOT NULL,
  lat double precision NOT NULL,
  lon double precision NOT NULL,
  record text NOT NULL,               -- the StationConfigured fact
  room text NOT NULL,                 -- rules.places.Room: taken, broken, held, promised
  in_service boolean NOT NULL DEFAULT true
) WITH (fillfactor = 50);

CREATE TABLE station_presence (       -- how the line is; not of the fold
  station text PRIMARY KEY REFERENCES station,
  last_seen timestamptz,
  heard_until timestamptz,            -- the station's clock, once all it had written by then was here
  software text NOT NULL DEFAULT '',
  snapshot text NOT NULL DEFAULT ''
);

CREATE TABLE station_identity (
  station text PRIMARY KEY REFERENCES station,
  public_key bytea NOT NULL CHECK (length(public_key) = 32),
  enrolled_at timestamptz NOT NULL
);

CREATE TABLE station_secret (         -- K_st, sealed with the hub's master key
  station text NOT NULL REFERENCES station,
  epoch int NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (station, epoch)
);

CREATE TABLE claim (                  -- one-time codes for enrolment; only their hash is kept
  code_hash bytea PRIMARY KEY,
  station text NOT NULL REFERENCES station,
  made_at timestamptz NOT NULL,
  used_at timestamptz
);

CREATE TABLE parcel (
  id uuid PRIMARY KEY,
  carrier text NOT NULL,
  reference text NOT NULL,
  stage text NOT NULL,
  station text,
  reservation uuid,
  compartment int,
  due timestamptz,
  contested boolean NOT NULL,
  revision int NOT NULL CHECK (revision > 0),
  record text NOT NULL,               -- rules.life.Parcel as JSON; the columns before it repeat what is searched
  CONSTRAINT one_reference_per_carrier UNIQUE (reference, carrier),  -- in this order: people search by reference
  -- INV-10: what has not ended is looked at again
  CONSTRAINT open_parcels_have_a_due_date CHECK (
    due IS NOT NULL OR stage IN ('COLLECTED', 'TAKEN_BACK', 'CANCELLED', 'DIVERTED')),
  CONSTRAINT inside_means_behind_a_door CHECK (
    (stage IN ('READY', 'OVERDUE')) = (compartment IS NOT NULL))
) WITH (fillfactor = 70);
-- INV-01: one compartment, one collector, unless a door forced it and a case is open
CREATE UNIQUE INDEX one_parcel_per_compartment ON parcel (station, compartment)
  WHERE compartment IS NOT NULL AND NOT contested;
CREATE INDEX parcel_due ON parcel (due) WHERE due IS NOT NULL;

CREATE TABLE case_file (
  id uuid PRIMARY KEY,
  about text NOT NULL,
  parcel uuid,
  station text,
  compartment int,
  holds boolean NOT NULL,
  opened_at timestamptz NOT NULL,
  closed_at timestamptz,
  outcome text NOT NULL DEFAULT ''
);
CREATE INDEX case_open ON case_file (station) WHERE closed_at IS NULL;
CREATE INDEX case_parcel ON case_file (parcel) WHERE closed_at IS NULL;

-- People live apart: a row of ciphertext and, in a table of its own, the key that is destroyed to erase them.
CREATE TABLE person (
  id uuid PRIMARY KEY,
  carrier text NOT NULL,
  sealed bytea NOT NULL,
  made_at timestamptz NOT NULL
);
CREATE TABLE person_key (
  person uuid PRIMARY KEY,
  sealed bytea NOT NULL
);

CREATE TABLE asked (                  -- answers given, so that a repeat has the same answer and one effect
  actor text NOT NULL,
  key text NOT NULL,
  request_hash bytea NOT NULL,
  status int NOT NULL,
  answer text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (actor, key)
);
CREATE INDEX asked_at ON asked USING brin (at);

CREATE TABLE link (                   -- links are HMACs of 144 bits; only their hash is kept
  hash bytea PRIMARY KEY,
  parcel uuid NOT NULL,
  page text NOT NULL CHECK (page IN ('track', 'recipient'))
);

CREATE TABLE notice (
  writer text NOT NULL,               -- the entry it follows from
  number bigint NOT NULL,
  purpose text NOT NULL,
  channel text NOT NULL CHECK (channel IN ('email', 'sms')),
  parcel uuid NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed', 'unneeded')),
  tries int NOT NULL DEFAULT 0,
  next_try timestamptz NOT NULL,
  sent_at timestamptz,
  trouble text NOT NULL DEFAULT '',
  PRIMARY KEY (writer, number, purpose, channel)   -- INV-08: one notice per entry, channel and purpose
);
CREATE INDEX notice_waiting ON notice (next_try) WHERE state = 'waiting';
CREATE INDEX notice_parcel ON notice (parcel, purpose);

CREATE TABLE feed (                   -- each carrier's gapless numbering of its own entries
  carrier text NOT NULL,
  number bigint NOT NULL,
  writer text NOT NULL,
  entry_number bigint NOT NULL,
  PRIMARY KEY (carrier, number),
  UNIQUE (writer, entry_number)
);

CREATE TABLE follower (
  name text PRIMARY KEY,
  tx bigint NOT NULL DEFAULT 0,
  revision int NOT NULL DEFAULT 0,    -- facts of one parcel that commit together are read in the order of its life
  writer text NOT NULL DEFAULT '',
  number bigint NOT NULL DEFAULT 0
);

CREATE TABLE dead_letter (            -- entries that could not be understood: kept, shown, never dropped
  writer text NOT NULL,
  number bigint NOT NULL,
  why text NOT NULL,
  PRIMARY KEY (writer, number)
);

CREATE TABLE house (                  -- one row: the hub's epoch
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  epoch int NOT NULL
);
INSERT INTO house (epoch) VALUES (1);

-- Carriers are tenants. Reads on a carrier's behalf run as this role; what is not theirs does not exist for it.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'parcelwall_carrier') THEN
    CREATE ROLE parcelwall_carrier NOLOGIN;
  END IF;
END $$;
GRANT parcelwall_carrier TO CURRENT_USER;
GRANT USAGE ON SCHEMA public TO parcelwall_carrier;
GRANT SELECT ON parcel, station, feed, entry TO parcelwall_carrier;
ALTER TABLE parcel ENABLE ROW LEVEL SECURITY;
ALTER TABLE person ENABLE ROW LEVEL SECURITY;
ALTER TABLE feed ENABLE ROW LEVEL SECURITY;
ALTER TABLE entry ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_parcels ON parcel FOR SELECT TO parcelwall_carrier
  USING (carrier = current_setting('parcelwall.carrier', true));
CREATE POLICY own_people ON person FOR SELECT TO parcelwall_carrier
  USING (carrier = current_setting('parcelwall.carrier', true));
CREATE POLICY own_feed ON feed FOR SELECT TO parcelwall_carrier
  USING (carrier = current_setting('parcelwall.carrier', true));
CREATE POLICY own_entries ON entry FOR SELECT TO parcelwall_carrier
  USING (EXISTS (SELECT FROM feed WHERE feed.writer = entry.writer AND feed.entry_number = entry.number
                 AND feed.carrier = current_setting('parcelwall.carrier', true)));
