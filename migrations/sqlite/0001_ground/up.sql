-- Ids are 16-byte blobs, instants RFC 3339 text of fixed width in UTC, days ISO text, documents JSON text.
CREATE TABLE people (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    email TEXT NOT NULL UNIQUE,
    roles TEXT NOT NULL CHECK (json_valid(roles)),
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE organisations (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    working_name TEXT NOT NULL,
    folded TEXT NOT NULL,
    look TEXT NOT NULL,
    kind TEXT NOT NULL,
    nation TEXT NOT NULL,
    constituted INTEGER NOT NULL CHECK (constituted IN (0, 1)),
    profile TEXT NOT NULL CHECK (json_valid(profile)),
    merged_into BLOB REFERENCES organisations (id),
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX organisations_by_name ON organisations (folded, id);
CREATE INDEX organisations_by_look ON organisations (look);

CREATE TABLE memberships (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    person_id BLOB NOT NULL REFERENCES people (id),
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    lead INTEGER NOT NULL CHECK (lead IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('invited', 'active', 'ended', 'withdrawn')),
    since TEXT NOT NULL,
    until TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_of_person ON memberships (person_id);
CREATE INDEX memberships_of_organisation ON memberships (organisation_id);
CREATE UNIQUE INDEX memberships_once ON memberships (person_id, organisation_id) WHERE state IN ('invited', 'active');

CREATE TABLE affiliations (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    person_id BLOB NOT NULL REFERENCES people (id),
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    role TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT,
    declared_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX affiliations_of_person ON affiliations (person_id);

CREATE TABLE presences (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    locality TEXT NOT NULL,
    kind TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT,
    end_condition TEXT,
    evidence TEXT,
    state TEXT NOT NULL,
    declared_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX presences_of_organisation ON presences (organisation_id, since);
CREATE INDEX presences_in_locality ON presences (locality);

CREATE TABLE tokens (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    person_id BLOB NOT NULL REFERENCES people (id),
    secret_hash TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    revoked_at TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE invitations (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    person_id BLOB NOT NULL REFERENCES people (id),
    membership_id BLOB NOT NULL REFERENCES memberships (id),
    code_hash TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_of_person ON invitations (person_id);

CREATE TABLE cases (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    reference TEXT NOT NULL UNIQUE,
    stage TEXT NOT NULL CHECK (stage IN ('draft', 'intake', 'early_conversation', 'standards_review', 'agreed_actions', 'closed')),
    version INTEGER NOT NULL,
    opened_at TEXT NOT NULL,
    invited_at TEXT,
    on_hold INTEGER NOT NULL CHECK (on_hold IN (0, 1)),
    waits_initiating INTEGER NOT NULL CHECK (waits_initiating IN (0, 1)),
    waits_invited INTEGER NOT NULL CHECK (waits_invited IN (0, 1)),
    waits_facilitator INTEGER NOT NULL CHECK (waits_facilitator IN (0, 1)),
    waits_coordinator INTEGER NOT NULL CHECK (waits_coordinator IN (0, 1)),
    next_look TEXT,
    search TEXT NOT NULL,
    sides TEXT NOT NULL CHECK (json_valid(sides)),
    hold TEXT CHECK (hold IS NULL OR json_valid(hold)),
    intake TEXT NOT NULL CHECK (json_valid(intake)),
    neutrals TEXT NOT NULL CHECK (json_valid(neutrals)),
    conversation TEXT NOT NULL CHECK (json_valid(conversation)),
    review TEXT NOT NULL CHECK (json_valid(review)),
    agreements TEXT NOT NULL CHECK (json_valid(agreements)),
    closing TEXT NOT NULL CHECK (json_valid(closing)),
    clocks TEXT NOT NULL CHECK (json_valid(clocks))
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_newest ON cases (opened_at, id);
CREATE INDEX cases_to_look_at ON cases (next_look) WHERE next_look IS NOT NULL;

CREATE TABLE case_parties (
    case_id BLOB NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    side TEXT NOT NULL CHECK (side IN ('initiating', 'invited')),
    PRIMARY KEY (organisation_id, case_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_parties_of_case ON case_parties (case_id);

CREATE TABLE case_localities (
    case_id BLOB NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    locality TEXT NOT NULL,
    PRIMARY KEY (locality, case_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_localities_of_case ON case_localities (case_id);

CREATE TABLE case_seats (
    case_id BLOB NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    person_id BLOB NOT NULL REFERENCES people (id),
    seat TEXT NOT NULL CHECK (seat IN ('entered', 'asked', 'facilitator', 'observer', 'excluded')),
    PRIMARY KEY (person_id, case_id, seat)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_seats_of_case ON case_seats (case_id);

CREATE TABLE readings (
    case_id BLOB NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    side TEXT NOT NULL CHECK (side IN ('initiating', 'invited')),
    version INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body)),
    PRIMARY KEY (case_id, side)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    chain TEXT NOT NULL,
    seq INTEGER NOT NULL CHECK (seq > 0),
    at TEXT NOT NULL,
    actor BLOB,
    capacity TEXT NOT NULL,
    on_behalf_of BLOB,
    event TEXT NOT NULL,
    audience TEXT NOT NULL,
    commitment TEXT NOT NULL CHECK (length(commitment) = 64),
    link TEXT NOT NULL CHECK (length(link) = 64),
    UNIQUE (chain, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

-- What an event said, apart from the chain, so that it can be erased and the chain still holds.
CREATE TABLE event_bodies (
    event_id BLOB PRIMARY KEY NOT NULL REFERENCES events (id),
    salt BLOB NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER event_bodies_no_update BEFORE UPDATE ON event_bodies BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TABLE notices (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    person_id BLOB NOT NULL REFERENCES people (id),
    case_id BLOB,
    letter TEXT NOT NULL,
    at TEXT NOT NULL,
    due TEXT,
    read_at TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX notices_of_person ON notices (person_id, at, id);

CREATE TABLE letters (
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
) STRICT, WITHOUT ROWID;
CREATE INDEX letters_due ON letters (next_at) WHERE state IN ('waiting', 'uncertain');
CREATE INDEX letters_leased ON letters (lease_until) WHERE state IN ('claimed', 'in_flight');
CREATE INDEX letters_newest ON letters (created_at, id);

CREATE TABLE once (
    person_id BLOB NOT NULL REFERENCES people (id),
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    answer TEXT CHECK (answer IS NULL OR json_valid(answer)),
    at TEXT NOT NULL,
    PRIMARY KEY (person_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX once_oldest ON once (at);
