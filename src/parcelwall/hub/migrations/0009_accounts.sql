-- What a recipient's own browser may show together (docs/decisions/0021). No index of everybody's contacts is kept: only
-- of those that an account has shown to be its own. All of it is personal data and goes with the account.

CREATE TABLE account (
  id uuid PRIMARY KEY,
  made_at timestamptz NOT NULL,
  language text NOT NULL DEFAULT '',
  reach boolean NOT NULL DEFAULT false
);

CREATE TABLE account_contact (        -- HMAC of an address or number that the account has shown to be its own
  index bytea PRIMARY KEY CHECK (length(index) = 16),
  account uuid NOT NULL REFERENCES account ON DELETE CASCADE,
  verified_at timestamptz NOT NULL
);
CREATE INDEX account_contact_account ON account_contact (account);

CREATE TABLE account_parcel (
  account uuid NOT NULL REFERENCES account ON DELETE CASCADE,
  parcel uuid NOT NULL,
  how text NOT NULL CHECK (how IN ('link', 'contact')),
  joined_at timestamptz NOT NULL,
  PRIMARY KEY (account, parcel)
);
-- A parcel is one account's by its contact: who was first stays it, so that nobody can come between later.
CREATE UNIQUE INDEX one_account_by_contact ON account_parcel (parcel) WHERE how = 'contact';

CREATE TABLE contact_check (          -- a number was sent to a contact; the newest of each account counts
  account uuid PRIMARY KEY REFERENCES account ON DELETE CASCADE,
  parcel uuid NOT NULL,
  index bytea NOT NULL,
  number_hash bytea NOT NULL,
  tries_left int NOT NULL CHECK (tries_left >= 0),
  ends_at timestamptz NOT NULL
);

-- For which one act a passkey was shown last in this browser.
ALTER TABLE signed_in ADD proved_act text NOT NULL DEFAULT '';

CREATE TABLE friend (                 -- somebody else may collect: the link of their own page, as a hash
  granted uuid PRIMARY KEY,
  parcel uuid NOT NULL,
  hash bytea NOT NULL UNIQUE,
  until timestamptz NOT NULL
);
CREATE INDEX friend_parcel ON friend (parcel);
