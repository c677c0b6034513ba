-- There is no way back: go back to a backup.
SELECT 1;
