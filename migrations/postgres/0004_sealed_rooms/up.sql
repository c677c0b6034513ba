-- What people say is kept sealed from here on: by a data key for each room and side, wrapped by a key from outside. The
-- rows that were plain wait beside; the program seals them when it opens the database, and drops these tables.
CREATE TABLE wrapping_key (
    one integer PRIMARY KEY CHECK (one = 1),
    name text NOT NULL
);

CREATE TABLE data_keys (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    part text NOT NULL,
    wrapped bytea NOT NULL,
    wrapped_by text NOT NULL,
    UNIQUE (case_id, part)
);

DROP INDEX cases_to_look_at;
DROP INDEX once_oldest;
DROP TRIGGER event_bodies_no_update ON event_bodies;
ALTER TABLE readings RENAME TO plain_readings;
ALTER TABLE cases RENAME TO plain_cases;
ALTER TABLE event_bodies RENAME TO plain_event_bodies;
DROP TABLE once;

CREATE TABLE cases (
    id uuid PRIMARY KEY,
    reference text NOT NULL UNIQUE,
    stage text NOT NULL CHECK (stage IN ('draft', 'intake', 'early_conversation', 'standards_review', 'agreed_actions', 'closed')),
    version bigint NOT NULL,
    opened_at timestamptz NOT NULL,
    invited_at timestamptz,
    next_look timestamptz,
    sealed bytea NOT NULL
);
CREATE INDEX cases_to_look_at ON cases (next_look) WHERE next_look IS NOT NULL;

CREATE TABLE readings (
    case_id uuid NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    side text NOT NULL CHECK (side IN ('initiating', 'invited')),
    version integer NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (case_id, side)
);

CREATE TABLE event_bodies (
    event_id uuid PRIMARY KEY REFERENCES events (id),
    salt bytea NOT NULL,
    sealed bytea NOT NULL
);
CREATE TRIGGER event_bodies_no_update BEFORE UPDATE ON event_bodies FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- Answers to keys of requests; those of before are forgotten.
CREATE TABLE once (
    person_id uuid NOT NULL REFERENCES people (id),
    key text NOT NULL,
    fingerprint text NOT NULL,
    sealed bytea,
    at timestamptz NOT NULL,
    PRIMARY KEY (person_id, key)
);
CREATE INDEX once_oldest ON once (at);

-- What is said in rooms. A struck line keeps its place and its reason; its words are gone.
CREATE TABLE messages (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL REFERENCES cases (id),
    room text NOT NULL,
    at timestamptz NOT NULL,
    author uuid NOT NULL REFERENCES people (id),
    capacity text NOT NULL,
    sealed bytea NOT NULL
);
CREATE INDEX messages_in_room ON messages (case_id, room, at, id);

-- How far somebody has read a room; for themselves alone.
CREATE TABLE read_marks (
    person_id uuid NOT NULL REFERENCES people (id),
    case_id uuid NOT NULL REFERENCES cases (id),
    room text NOT NULL,
    at timestamptz NOT NULL,
    message_id uuid NOT NULL,
    PRIMARY KEY (person_id, case_id, room)
);

CREATE TABLE documents (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL REFERENCES cases (id),
    room text NOT NULL,
    at timestamptz NOT NULL,
    author uuid NOT NULL REFERENCES people (id),
    capacity text NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    superseded_by uuid,
    sealed bytea NOT NULL
);
CREATE INDEX documents_in_room ON documents (case_id, room, at, id);

CREATE TABLE document_chunks (
    document_id uuid NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    n integer NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (document_id, n)
);

CREATE TABLE downloads (
    id uuid PRIMARY KEY,
    document_id uuid NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people (id),
    capacity text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX downloads_of_document ON downloads (document_id, at, id);

CREATE TABLE meetings (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL REFERENCES cases (id),
    room text NOT NULL,
    at timestamptz NOT NULL,
    version bigint NOT NULL,
    sealed bytea NOT NULL
);
CREATE INDEX meetings_of_case ON meetings (case_id, at, id);

-- The secret address of somebody's calendar, kept as a hash.
CREATE TABLE calendar_feeds (
    person_id uuid PRIMARY KEY REFERENCES people (id),
    secret_hash text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL
);

-- Somebody of CLERO asks to look into one room, and somebody else decides (SPEC 13).
CREATE TABLE room_looks (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL REFERENCES cases (id),
    room text NOT NULL,
    ground text NOT NULL CHECK (ground IN ('required_by_law', 'serious_risk_of_harm', 'own_request')),
    hours integer NOT NULL CHECK (hours BETWEEN 1 AND 24),
    asked_by uuid NOT NULL REFERENCES people (id),
    asked_at timestamptz NOT NULL,
    decided_by uuid REFERENCES people (id),
    decided_at timestamptz,
    approved boolean,
    until timestamptz,
    sealed bytea NOT NULL
);
CREATE INDEX room_looks_of_case ON room_looks (case_id, asked_at, id);
