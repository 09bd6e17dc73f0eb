-- Couriers' phones: how one is signed in, and the photos of what went wrong. Couriers are random ids; photos are sealed.

ALTER TABLE signed_in DROP CONSTRAINT signed_in_purpose_check,
  ADD CONSTRAINT signed_in_purpose_check CHECK (purpose IN ('recipient', 'operator', 'courier'));

CREATE TABLE courier_invite (         -- codes that sign a phone in, once; only their hash is kept
  hash bytea PRIMARY KEY,
  courier uuid NOT NULL,
  ends_at timestamptz NOT NULL
);
CREATE INDEX courier_invite_ends ON courier_invite (ends_at);

CREATE TABLE case_photo (
  id uuid PRIMARY KEY,                -- of the outbox entry it came with, so that a repeat is the same photo
  case_id uuid NOT NULL,
  sealed bytea NOT NULL,
  came_at timestamptz NOT NULL
);
CREATE INDEX case_photo_case ON case_photo (case_id);

-- Where a courier is admitted, and what they brought and took today.
CREATE INDEX entry_of_courier ON entry (substring(body from '"courier":"([0-9a-f-]{36})"'), happened_at)
  WHERE kind IN ('Granted', 'Deposited', 'TakenBack');
