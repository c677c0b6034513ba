-- What a case is listed under, in the order of lists; what it says is derived from the case itself, in store/cases/headings.rs.
CREATE TABLE case_headings (
    heading text COLLATE "C" NOT NULL,
    opened_at timestamptz NOT NULL,
    case_id uuid NOT NULL,
    PRIMARY KEY (heading, opened_at, case_id)
);

INSERT INTO case_headings SELECT 'everything', opened_at, id FROM cases WHERE stage <> 'draft';
INSERT INTO case_headings SELECT 'stage:' || stage, opened_at, id FROM cases;
INSERT INTO case_headings SELECT 'turn:initiating', opened_at, id FROM cases WHERE waits_initiating;
INSERT INTO case_headings SELECT 'turn:invited', opened_at, id FROM cases WHERE waits_invited;
INSERT INTO case_headings SELECT 'turn:facilitator', opened_at, id FROM cases WHERE waits_facilitator;
INSERT INTO case_headings SELECT 'turn:coordinator', opened_at, id FROM cases WHERE waits_coordinator;
INSERT INTO case_headings SELECT 'reference:' || substr(reference, 9), opened_at, id FROM cases;
INSERT INTO case_headings SELECT 'party:' || replace(organisation_id::text, '-', ''), opened_at, id FROM cases JOIN case_parties ON case_id = id;
INSERT INTO case_headings SELECT 'locality:' || locality, opened_at, id FROM cases JOIN case_localities ON case_id = id;
INSERT INTO case_headings SELECT DISTINCT 'seat:' || replace(person_id::text, '-', ''), opened_at, id FROM cases JOIN case_seats ON case_id = id WHERE seat <> 'excluded';

DROP TABLE case_seats;
DROP TABLE case_localities;
DROP TABLE case_parties;
DROP INDEX cases_newest;
ALTER TABLE cases DROP COLUMN on_hold;
ALTER TABLE cases DROP COLUMN waits_initiating;
ALTER TABLE cases DROP COLUMN waits_invited;
ALTER TABLE cases DROP COLUMN waits_facilitator;
ALTER TABLE cases DROP COLUMN waits_coordinator;
ALTER TABLE cases DROP COLUMN search;
ALTER TABLE cases ALTER COLUMN version TYPE bigint;
