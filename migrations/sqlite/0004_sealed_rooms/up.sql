-- What people say is kept sealed from here on: by a data key for each room and side, wrapped by a key from outside. The
-- rows that were plain wait beside; the program seals them when it opens the database, and drops these tables.
CREATE TABLE wrapping_key (
    one INTEGER PRIMARY KEY NOT NULL CHECK (one = 1),
    name TEXT NOT NULL
) STRICT;

CREATE TABLE data_keys (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    case_id BLOB NOT NULL,
    part TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    wrapped_by TEXT NOT NULL,
    UNIQUE (case_id, part)
) STRICT;

DROP INDEX cases_to_look_at;
DROP INDEX once_oldest;
DROP TRIGGER event_bodies_no_update;
ALTER TABLE readings RENAME TO plain_readings;
ALTER TABLE cases RENAME TO plain_cases;
ALTER TABLE event_bodies RENAME TO plain_event_bodies;
DROP TABLE once;

CREATE TABLE cases (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    reference TEXT NOT NULL UNIQUE,
    stage TEXT NOT NULL CHECK (stage IN ('draft', 'intake', 'early_conversation', 'standards_review', 'agreed_actions', 'closed')),
    version INTEGER NOT NULL,
    opened_at TEXT NOT NULL,
    invited_at TEXT,
    next_look TEXT,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX cases_to_look_at ON cases (next_look) WHERE next_look IS NOT NULL;

CREATE TABLE readings (
    case_id BLOB NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    side TEXT NOT NULL CHECK (side IN ('initiating', 'invited')),
    version INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (case_id, side)
) STRICT;

CREATE TABLE event_bodies (
    event_id BLOB PRIMARY KEY NOT NULL REFERENCES events (id),
    salt BLOB NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE TRIGGER event_bodies_no_update BEFORE UPDATE ON event_bodies BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

-- Answers to keys of requests; those of before are forgotten.
CREATE TABLE once (
    person_id BLOB NOT NULL REFERENCES people (id),
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    sealed BLOB,
    at TEXT NOT NULL,
    PRIMARY KEY (person_id, key)
) STRICT;
CREATE INDEX once_oldest ON once (at);

-- What is said in rooms. A struck line keeps its place and its reason; its words are gone.
CREATE TABLE messages (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    case_id BLOB NOT NULL REFERENCES cases (id),
    room TEXT NOT NULL,
    at TEXT NOT NULL,
    author BLOB NOT NULL REFERENCES people (id),
    capacity TEXT NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX messages_in_room ON messages (case_id, room, at, id);

-- How far somebody has read a room; for themselves alone.
CREATE TABLE read_marks (
    person_id BLOB NOT NULL REFERENCES people (id),
    case_id BLOB NOT NULL REFERENCES cases (id),
    room TEXT NOT NULL,
    at TEXT NOT NULL,
    message_id BLOB NOT NULL,
    PRIMARY KEY (person_id, case_id, room)
) STRICT, WITHOUT ROWID;

CREATE TABLE documents (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    case_id BLOB NOT NULL REFERENCES cases (id),
    room TEXT NOT NULL,
    at TEXT NOT NULL,
    author BLOB NOT NULL REFERENCES people (id),
    capacity TEXT NOT NULL,
    size INTEGER NOT NULL CHECK (size > 0),
    superseded_by BLOB,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX documents_in_room ON documents (case_id, room, at, id);

CREATE TABLE document_chunks (
    document_id BLOB NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (document_id, n)
) STRICT;

CREATE TABLE downloads (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    document_id BLOB NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    person_id BLOB NOT NULL REFERENCES people (id),
    capacity TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX downloads_of_document ON downloads (document_id, at, id);

CREATE TABLE meetings (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    case_id BLOB NOT NULL REFERENCES cases (id),
    room TEXT NOT NULL,
    at TEXT NOT NULL,
    version INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX meetings_of_case ON meetings (case_id, at, id);

-- The secret address of somebody's calendar, kept as a hash.
CREATE TABLE calendar_feeds (
    person_id BLOB PRIMARY KEY NOT NULL REFERENCES people (id),
    secret_hash TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Somebody of CLERO asks to look into one room, and somebody else decides (SPEC 13).
CREATE TABLE room_looks (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    case_id BLOB NOT NULL REFERENCES cases (id),
    room TEXT NOT NULL,
    ground TEXT NOT NULL CHECK (ground IN ('required_by_law', 'serious_risk_of_harm', 'own_request')),
    hours INTEGER NOT NULL CHECK (hours BETWEEN 1 AND 24),
    asked_by BLOB NOT NULL REFERENCES people (id),
    asked_at TEXT NOT NULL,
    decided_by BLOB REFERENCES people (id),
    decided_at TEXT,
    approved INTEGER CHECK (approved IN (0, 1)),
    until TEXT,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX room_looks_of_case ON room_looks (case_id, asked_at, id);
