-- As for DuckDB; nothing was archived from here before.
ALTER TABLE archived_files ADD COLUMN newest_at TIMESTAMPTZ;
