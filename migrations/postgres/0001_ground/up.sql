-- Ids are uuid, instants timestamptz in whole microseconds, days date, documents jsonb.
CREATE TABLE people (
    id uuid PRIMARY KEY NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    email text NOT NULL UNIQUE,
    roles jsonb NOT NULL,
    active boolean NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE organisations (
    id uuid PRIMARY KEY NOT NULL,
    working_name text NOT NULL,
    folded text NOT NULL,
    look text NOT NULL,
    kind text NOT NULL,
    nation text NOT NULL,
    constituted boolean NOT NULL,
    profile jsonb NOT NULL,
    merged_into uuid REFERENCES organisations (id),
    created_at timestamptz NOT NULL
);
CREATE INDEX organisations_by_name ON organisations (folded, id);
CREATE INDEX organisations_by_look ON organisations (look);

CREATE TABLE memberships (
    id uuid PRIMARY KEY NOT NULL,
    person_id uuid NOT NULL REFERENCES people (id),
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    lead boolean NOT NULL,
    state text NOT NULL CHECK (state IN ('invited', 'active', 'ended', 'withdrawn')),
    since date NOT NULL,
    until date
);
CREATE INDEX memberships_of_person ON memberships (person_id);
CREATE INDEX memberships_of_organisation ON memberships (organisation_id);
CREATE UNIQUE INDEX memberships_once ON memberships (person_id, organisation_id) WHERE state IN ('invited', 'active');

CREATE TABLE affiliations (
    id uuid PRIMARY KEY NOT NULL,
    person_id uuid NOT NULL REFERENCES people (id),
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    role text NOT NULL,
    since date NOT NULL,
    until date,
    declared_at timestamptz NOT NULL
);
CREATE INDEX affiliations_of_person ON affiliations (person_id);

CREATE TABLE presences (
    id uuid PRIMARY KEY NOT NULL,
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    locality text NOT NULL,
    kind text NOT NULL,
    since date NOT NULL,
    until date,
    end_condition text,
    evidence text,
    state text NOT NULL,
    declared_at timestamptz NOT NULL
);
CREATE INDEX presences_of_organisation ON presences (organisation_id, since);
CREATE INDEX presences_in_locality ON presences (locality);

CREATE TABLE tokens (
    id uuid PRIMARY KEY NOT NULL,
    person_id uuid NOT NULL REFERENCES people (id),
    secret_hash text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);

CREATE TABLE invitations (
    id uuid PRIMARY KEY NOT NULL,
    person_id uuid NOT NULL REFERENCES people (id),
    membership_id uuid NOT NULL REFERENCES memberships (id),
    code_hash text NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX invitations_of_person ON invitations (person_id);

CREATE TABLE cases (
    id uuid PRIMARY KEY NOT NULL,
    reference text NOT NULL UNIQUE,
    stage text NOT NULL CHECK (stage IN ('draft', 'intake', 'early_conversation', 'standards_review', 'agreed_actions', 'closed')),
    version integer NOT NULL,
    opened_at timestamptz NOT NULL,
    invited_at timestamptz,
    on_hold boolean NOT NULL,
    waits_initiating boolean NOT NULL,
    waits_invited boolean NOT NULL,
    waits_facilitator boolean NOT NULL,
    waits_coordinator boolean NOT NULL,
    next_look timestamptz,
    search text NOT NULL,
    sides jsonb NOT NULL,
    hold jsonb,
    intake jsonb NOT NULL,
    neutrals jsonb NOT NULL,
    conversation jsonb NOT NULL,
    review jsonb NOT NULL,
    agreements jsonb NOT NULL,
    closing jsonb NOT NULL,
    clocks jsonb NOT NULL
);
CREATE INDEX cases_newest ON cases (opened_at, id);
CREATE INDEX cases_to_look_at ON cases (next_look) WHERE next_look IS NOT NULL;

CREATE TABLE case_parties (
    case_id uuid NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    side text NOT NULL CHECK (side IN ('initiating', 'invited')),
    PRIMARY KEY (organisation_id, case_id)
);
CREATE INDEX case_parties_of_case ON case_parties (case_id);

CREATE TABLE case_localities (
    case_id uuid NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    locality text NOT NULL,
    PRIMARY KEY (locality, case_id)
);
CREATE INDEX case_localities_of_case ON case_localities (case_id);

CREATE TABLE case_seats (
    case_id uuid NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people (id),
    seat text NOT NULL CHECK (seat IN ('entered', 'asked', 'facilitator', 'observer', 'excluded')),
    PRIMARY KEY (person_id, case_id, seat)
);
CREATE INDEX case_seats_of_case ON case_seats (case_id);

CREATE TABLE readings (
    case_id uuid NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    side text NOT NULL CHECK (side IN ('initiating', 'invited')),
    version integer NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (case_id, side)
);

CREATE TABLE events (
    id uuid PRIMARY KEY NOT NULL,
    chain text NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    at timestamptz NOT NULL,
    actor uuid,
    capacity text NOT NULL,
    on_behalf_of uuid,
    event text NOT NULL,
    audience text NOT NULL,
    commitment text NOT NULL CHECK (length(commitment) = 64),
    link text NOT NULL CHECK (length(link) = 64),
    UNIQUE (chain, seq)
);
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'events are append-only'; END $$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- What an event said, apart from the chain, so that it can be erased and the chain still holds.
CREATE TABLE event_bodies (
    event_id uuid PRIMARY KEY NOT NULL REFERENCES events (id),
    salt bytea NOT NULL,
    body text NOT NULL
);
CREATE TRIGGER event_bodies_no_update BEFORE UPDATE ON event_bodies FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE notices (
    id uuid PRIMARY KEY NOT NULL,
    person_id uuid NOT NULL REFERENCES people (id),
    case_id uuid,
    letter text NOT NULL,
    at timestamptz NOT NULL,
    due timestamptz,
    read_at timestamptz
);
CREATE INDEX notices_of_person ON notices (person_id, at, id);

CREATE TABLE letters (
    id uuid PRIMARY KEY NOT NULL,
    dedupe text NOT NULL UNIQUE,
    person_id uuid NOT NULL REFERENCES people (id),
    case_id uuid,
    letter text NOT NULL,
    address text NOT NULL,
    message_id text NOT NULL UNIQUE,
    bytes bytea,
    state text NOT NULL CHECK (state IN ('waiting', 'claimed', 'in_flight', 'uncertain', 'sent', 'dead', 'cancelled')),
    attempts integer NOT NULL,
    created_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    lease uuid,
    lease_until timestamptz,
    ended_at timestamptz,
    answer text
);
CREATE INDEX letters_due ON letters (next_at) WHERE state IN ('waiting', 'uncertain');
CREATE INDEX letters_leased ON letters (lease_until) WHERE state IN ('claimed', 'in_flight');
CREATE INDEX letters_newest ON letters (created_at, id);

CREATE TABLE once (
    person_id uuid NOT NULL REFERENCES people (id),
    key text NOT NULL,
    fingerprint text NOT NULL,
    answer jsonb,
    at timestamptz NOT NULL,
    PRIMARY KEY (person_id, key)
);
CREATE INDEX once_oldest ON once (at);
