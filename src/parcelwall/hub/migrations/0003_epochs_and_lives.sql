-- A hub that is restored, a station's computer that is lost, replaced or stolen (docs/decisions/0014).

-- Epochs are seconds since 1970 from the second on.
ALTER TABLE house ALTER COLUMN epoch TYPE bigint;

-- INV-07: a stream of a past epoch or life is only filled up with what was lost. Whoever gives it back raises
-- `ended_with` first; a process that still writes under the old epoch does not, and is refused.
ALTER TABLE writer ADD ended_with bigint,
  ADD CONSTRAINT past_streams_have_ended CHECK (ended_with IS NULL OR number <= ended_with);

-- Streams of a station that nobody writes any more: the hub's of past epochs, its own of past lives.
CREATE TABLE past_stream (
  name text PRIMARY KEY,
  station text NOT NULL REFERENCES station
);
CREATE INDEX past_stream_station ON past_stream (station);

ALTER TABLE station_identity
  ADD writer text,                    -- the stream that this computer writes; as the station is called in its first life
  ADD next_key bytea,                 -- told by the computer; counts from the moment it is used
  ADD revoked_at timestamptz,
  ADD CONSTRAINT keys_have_32_bytes CHECK (length(next_key) = 32),
  ADD CONSTRAINT a_new_key_is_another CHECK (next_key <> public_key),
  -- a stolen computer cannot hand its identity on to another key
  ADD CONSTRAINT revoked_keys_have_no_heir CHECK (revoked_at IS NULL OR next_key IS NULL);
UPDATE station_identity SET writer = station;
ALTER TABLE station_identity ALTER writer SET NOT NULL;
-- INV-07: one computer per stream
CREATE UNIQUE INDEX one_computer_per_stream ON station_identity (writer);

-- What is given back is recorded later than what was adopted since.
DROP INDEX entry_policy;
CREATE INDEX entry_policy ON entry (happened_at, number) WHERE kind = 'PolicyAdopted';
