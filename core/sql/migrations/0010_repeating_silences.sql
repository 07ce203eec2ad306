-- A maintenance window that comes back: 'daily' or 'weekly' after its first time, counted in UTC. NULL: once.
ALTER TABLE silences ADD COLUMN repeats VARCHAR;
