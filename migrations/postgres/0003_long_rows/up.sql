-- Rows have always lain one behind the other here; only the indexes change.
DROP INDEX letters_due;
DROP INDEX letters_leased;

-- The condition of an index must be written in a statement itself to be of use there. These have none that is bound.
CREATE INDEX letters_next ON letters (state, next_at);
CREATE INDEX letters_by_state ON letters (state, created_at, id);
CREATE INDEX letters_with_octets ON letters (ended_at) WHERE bytes IS NOT NULL;
CREATE INDEX people_with_roles ON people (id) WHERE roles <> '[]';
