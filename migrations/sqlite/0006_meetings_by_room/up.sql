-- A reader's meetings are found by the rooms they read: what is planned in other rooms costs them nothing.
DROP INDEX meetings_of_case;
CREATE INDEX meetings_of_room ON meetings (case_id, room, at, id);
