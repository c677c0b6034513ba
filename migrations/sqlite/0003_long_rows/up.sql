-- A table without row ids keeps whole rows in the upper levels of its tree. With long rows that makes the tree deep, and
-- every new row rewrites pages in the middle of it. So tables with long rows get row ids: new rows lie one behind the
-- other. Each child goes before its parent, so that nothing is deleted by a reference on the way.
CREATE TABLE new_cases (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    reference TEXT NOT NULL UNIQUE,
    stage TEXT NOT NULL CHECK (stage IN ('draft', 'intake', 'early_conversation', 'standards_review', 'agreed_actions', 'closed')),
    version INTEGER NOT NULL,
    opened_at TEXT NOT NULL,
    invited_at TEXT,
    next_look TEXT,
    sides TEXT NOT NULL CHECK (json_valid(sides)),
    hold TEXT CHECK (hold IS NULL OR json_valid(hold)),
    intake TEXT NOT NULL CHECK (json_valid(intake)),
    neutrals TEXT NOT NULL CHECK (json_valid(neutrals)),
    conversation TEXT NOT NULL CHECK (json_valid(conversation)),
    review TEXT NOT NULL CHECK (json_valid(review)),
    agreements TEXT NOT NULL CHECK (json_valid(agreements)),
    closing TEXT NOT NULL CHECK (json_valid(closing)),
    clocks TEXT NOT NULL CHECK (json_valid(clocks))
) STRICT;
INSERT INTO new_cases SELECT id, reference, stage, version, opened_at, invited_at, next_look, sides, hold, intake, neutrals, conversation, review, agreements, closing, clocks FROM cases;

CREATE TABLE new_readings (
    case_id BLOB NOT NULL REFERENCES new_cases (id) ON DELETE CASCADE,
    side TEXT NOT NULL CHECK (side IN ('initiating', 'invited')),
    version INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body)),
    PRIMARY KEY (case_id, side)
) STRICT;
INSERT INTO new_readings SELECT case_id, side, version, body FROM readings;

DROP TABLE readings;
DROP TABLE cases;
ALTER TABLE new_cases RENAME TO cases;
ALTER TABLE new_readings RENAME TO readings;
CREATE INDEX cases_to_look_at ON cases (next_look) WHERE next_look IS NOT NULL;

CREATE TABLE new_event_bodies (
    event_id BLOB PRIMARY KEY NOT NULL REFERENCES events (id),
    salt BLOB NOT NULL,
    body TEXT NOT NULL
) STRICT;
INSERT INTO new_event_bodies SELECT event_id, salt, body FROM event_bodies;
DROP TABLE event_bodies;
ALTER TABLE new_event_bodies RENAME TO event_bodies;
CREATE TRIGGER event_bodies_no_update BEFORE UPDATE ON event_bodies BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TABLE new_letters (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    dedupe TEXT NOT NULL UNIQUE,
    person_id BLOB NOT NULL REFERENCES people (id),
    case_id BLOB,
    letter TEXT NOT NULL,
    address TEXT NOT NULL,
    message_id TEXT NOT NULL UNIQUE,
    bytes BLOB,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'claimed', 'in_flight', 'uncertain', 'sent', 'dead', 'cancelled')),
    attempts INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    next_at TEXT NOT NULL,
    lease BLOB,
    lease_until TEXT,
    ended_at TEXT,
    answer TEXT
) STRICT;
INSERT INTO new_letters SELECT id, dedupe, person_id, case_id, letter, address, message_id, bytes, state, attempts, created_at, next_at, lease, lease_until, ended_at, answer FROM letters;
DROP TABLE letters;
ALTER TABLE new_letters RENAME TO letters;
CREATE INDEX letters_newest ON letters (created_at, id);

CREATE TABLE new_once (
    person_id BLOB NOT NULL REFERENCES people (id),
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    answer TEXT CHECK (answer IS NULL OR json_valid(answer)),
    at TEXT NOT NULL,
    PRIMARY KEY (person_id, key)
) STRICT;
INSERT INTO new_once SELECT person_id, key, fingerprint, answer, at FROM once;
DROP TABLE once;
ALTER TABLE new_once RENAME TO once;
CREATE INDEX once_oldest ON once (at);

-- The condition of an index must be written in a statement itself to be of use there. These have none that is bound.
CREATE INDEX letters_next ON letters (state, next_at);
CREATE INDEX letters_by_state ON letters (state, created_at, id);
CREATE INDEX letters_with_octets ON letters (ended_at) WHERE bytes IS NOT NULL;
CREATE INDEX people_with_roles ON people (id) WHERE roles <> '[]';
