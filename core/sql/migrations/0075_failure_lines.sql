-- The line of a failed job's log that says most, and its words without what differs from run to run, by which failures
-- are grouped. `mask_id` is a digest of `masked`; `version` counts the rules that made it.
CREATE TABLE failure_lines (
    job_id VARCHAR PRIMARY KEY,
    mask_id VARCHAR NOT NULL,
    masked VARCHAR NOT NULL,
    line VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    read_at TIMESTAMPTZ NOT NULL
);
