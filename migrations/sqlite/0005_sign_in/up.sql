-- Signing in. Of every secret there is only a hash; codes and challenges live for minutes, and the sweep removes what
-- has ended.
CREATE TABLE passwords (
    person_id BLOB PRIMARY KEY NOT NULL REFERENCES people (id),
    phc TEXT NOT NULL,
    changed_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE passkeys (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    person_id BLOB NOT NULL REFERENCES people (id),
    credential_id TEXT NOT NULL UNIQUE,
    algorithm INTEGER NOT NULL,
    public_key BLOB NOT NULL,
    sign_count INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_used_at TEXT
) STRICT;
CREATE INDEX passkeys_of_person ON passkeys (person_id);

CREATE TABLE sessions (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    person_id BLOB NOT NULL REFERENCES people (id),
    secret_hash TEXT NOT NULL UNIQUE,
    browser TEXT NOT NULL,
    created_at TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    second_step_at TEXT,
    expires_at TEXT NOT NULL,
    ended_at TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_person ON sessions (person_id);
CREATE INDEX sessions_oldest ON sessions (expires_at);

CREATE TABLE trusted_browsers (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    person_id BLOB NOT NULL REFERENCES people (id),
    secret_hash TEXT NOT NULL UNIQUE,
    browser TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    ended_at TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX trusted_browsers_of_person ON trusted_browsers (person_id);
CREATE INDEX trusted_browsers_oldest ON trusted_browsers (expires_at);

-- The codes somebody keeps on paper for the day their mailbox or passkey is out of reach.
CREATE TABLE spare_codes (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    person_id BLOB NOT NULL REFERENCES people (id),
    code_hash TEXT NOT NULL,
    used_at TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX spare_codes_of_person ON spare_codes (person_id);

CREATE TABLE challenges (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    purpose TEXT NOT NULL CHECK (purpose IN ('sign_in', 'step', 'passkey_sign_in', 'passkey_step', 'passkey_add', 'reset', 'address')),
    person_id BLOB REFERENCES people (id),
    browser_hash TEXT,
    secret TEXT NOT NULL,
    detail TEXT,
    tries INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX challenges_of_person ON challenges (person_id);
CREATE INDEX challenges_of_browser ON challenges (browser_hash);
CREATE INDEX challenges_oldest ON challenges (expires_at);

-- How often something was tried; the key is a hash, and holds no address.
CREATE TABLE tries (
    key TEXT PRIMARY KEY NOT NULL,
    count INTEGER NOT NULL,
    since TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tries_oldest ON tries (since);

CREATE TABLE recoveries (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    person_id BLOB NOT NULL REFERENCES people (id),
    vouched_by BLOB NOT NULL REFERENCES people (id),
    created_at TEXT NOT NULL,
    effective_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    stopped_at TEXT,
    used_at TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX recoveries_of_person ON recoveries (person_id);
CREATE INDEX recoveries_oldest ON recoveries (expires_at);

-- Somebody of CLERO is invited to an account without an organisation.
CREATE TABLE new_invitations (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    person_id BLOB NOT NULL REFERENCES people (id),
    membership_id BLOB REFERENCES memberships (id),
    code_hash TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT
) STRICT, WITHOUT ROWID;
INSERT INTO new_invitations SELECT id, person_id, membership_id, code_hash, expires_at, used_at FROM invitations;
DROP TABLE invitations;
ALTER TABLE new_invitations RENAME TO invitations;
CREATE INDEX invitations_of_person ON invitations (person_id);

ALTER TABLE tokens ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT '["read","write"]' CHECK (json_valid(scopes));
CREATE INDEX tokens_of_person ON tokens (person_id);
