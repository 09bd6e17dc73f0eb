-- Who somebody is in a browser: passkeys, what they are asked to sign, and who is signed in where. Holders are random
-- ids; nothing here is biometric and nothing names a person (docs/privacy.md).

CREATE TABLE passkey (
  credential bytea PRIMARY KEY,       -- the authenticator's own id of it
  purpose text NOT NULL CHECK (purpose IN ('recipient', 'operator')),
  holder uuid NOT NULL,
  public_key bytea NOT NULL,          -- COSE
  sign_count bigint NOT NULL,         -- rises with each use, or is always 0; one that falls is a copy
  backed_up boolean NOT NULL,
  made_at timestamptz NOT NULL,
  used_at timestamptz
);
CREATE INDEX passkey_holder ON passkey (holder);

CREATE TABLE passkey_challenge (      -- 32 random bytes each; only the hash is kept, and only until it is answered
  hash bytea PRIMARY KEY,
  purpose text NOT NULL,
  act text NOT NULL,                  -- the one thing that an answer to it allows
  holder uuid,                        -- NULL: whoever it turns out to be
  ends_at timestamptz NOT NULL
);
CREATE INDEX passkey_challenge_ends ON passkey_challenge (ends_at);

CREATE TABLE signed_in (              -- one row per browser that is signed in; the cookie is 256 random bits
  hash bytea PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose IN ('recipient', 'operator')),
  holder uuid NOT NULL,
  made_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  proved_at timestamptz               -- when a passkey was last shown in it; NULL: it began with a link
);
CREATE INDEX signed_in_holder ON signed_in (holder);
CREATE INDEX signed_in_ends ON signed_in (ends_at);
