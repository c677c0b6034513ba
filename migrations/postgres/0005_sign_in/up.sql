-- Signing in. Of every secret there is only a hash; codes and challenges live for minutes, and the sweep removes what
-- has ended.
CREATE TABLE passwords (
    person_id uuid PRIMARY KEY NOT NULL REFERENCES people (id),
    phc text NOT NULL,
    changed_at timestamptz NOT NULL
);

CREATE TABLE passkeys (
    id uuid PRIMARY KEY NOT NULL,
    person_id uuid NOT NULL REFERENCES people (id),
    credential_id text NOT NULL UNIQUE,
    algorithm integer NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz
);
CREATE INDEX passkeys_of_person ON passkeys (person_id);

CREATE TABLE sessions (
    id uuid PRIMARY KEY NOT NULL,
    person_id uuid NOT NULL REFERENCES people (id),
    secret_hash text NOT NULL UNIQUE,
    browser text NOT NULL,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    second_step_at timestamptz,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX sessions_of_person ON sessions (person_id);
CREATE INDEX sessions_oldest ON sessions (expires_at);

CREATE TABLE trusted_browsers (
    id uuid PRIMARY KEY NOT NULL,
    person_id uuid NOT NULL REFERENCES people (id),
    secret_hash text NOT NULL UNIQUE,
    browser text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX trusted_browsers_of_person ON trusted_browsers (person_id);
CREATE INDEX trusted_browsers_oldest ON trusted_browsers (expires_at);

-- The codes somebody keeps on paper for the day their mailbox or passkey is out of reach.
CREATE TABLE spare_codes (
    id uuid PRIMARY KEY NOT NULL,
    person_id uuid NOT NULL REFERENCES people (id),
    code_hash text NOT NULL,
    used_at timestamptz
);
CREATE INDEX spare_codes_of_person ON spare_codes (person_id);

CREATE TABLE challenges (
    id uuid PRIMARY KEY NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('sign_in', 'step', 'passkey_sign_in', 'passkey_step', 'passkey_add', 'reset', 'address')),
    person_id uuid REFERENCES people (id),
    browser_hash text,
    secret text NOT NULL,
    detail text,
    tries integer NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX challenges_of_person ON challenges (person_id);
CREATE INDEX challenges_of_browser ON challenges (browser_hash);
CREATE INDEX challenges_oldest ON challenges (expires_at);

-- How often something was tried; the key is a hash, and holds no address.
CREATE TABLE tries (
    key text PRIMARY KEY NOT NULL,
    count integer NOT NULL,
    since timestamptz NOT NULL
);
CREATE INDEX tries_oldest ON tries (since);

CREATE TABLE recoveries (
    id uuid PRIMARY KEY NOT NULL,
    person_id uuid NOT NULL REFERENCES people (id),
    vouched_by uuid NOT NULL REFERENCES people (id),
    created_at timestamptz NOT NULL,
    effective_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    stopped_at timestamptz,
    used_at timestamptz
);
CREATE INDEX recoveries_of_person ON recoveries (person_id);
CREATE INDEX recoveries_oldest ON recoveries (expires_at);

-- Somebody of CLERO is invited to an account without an organisation.
ALTER TABLE invitations ALTER COLUMN membership_id DROP NOT NULL;

ALTER TABLE tokens ADD COLUMN name text NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN scopes jsonb NOT NULL DEFAULT '["read","write"]';
CREATE INDEX tokens_of_person ON tokens (person_id);
