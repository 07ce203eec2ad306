-- Archived files by their names within the archive, wherever it lies on a machine, or in a bucket; newest_at: the last
-- moment of any run whose rows a file holds. Of files from before, the end of their month is one that is late enough.
ALTER TABLE archived_files ADD COLUMN newest_at TIMESTAMPTZ;
UPDATE archived_files
SET path = regexp_extract(path, '(workflow_runs|jobs|steps)/month=[^/]+/[^/]+$'),
    newest_at = CAST(month || '-01' AS TIMESTAMPTZ) + INTERVAL 1 YEAR;
