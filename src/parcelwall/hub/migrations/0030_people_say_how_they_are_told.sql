-- By which channels, and at which hours not, the owner of an account is told of what is announced to a contact of theirs.
ALTER TABLE account
  ADD channels text[] NOT NULL DEFAULT '{}',      -- none: by all
  ADD quiet_from smallint,                        -- whole hours in the station's zone; NULL: those of the policy
  ADD quiet_until smallint,
  ADD CONSTRAINT only_channels_that_there_are CHECK (channels <@ ARRAY['email', 'sms']),
  ADD CONSTRAINT quiet_hours_begin_and_end CHECK ((quiet_from IS NULL) = (quiet_until IS NULL)),
  ADD CONSTRAINT hours_of_a_day CHECK (quiet_from BETWEEN 0 AND 23 AND quiet_until BETWEEN 0 AND 23);
