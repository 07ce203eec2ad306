-- Steps of the batch that are stored already: each belongs to a word about its job, and the newest word wins.
-- Reads incoming_steps, which holds each key once. The CASE hides its comparisons from the join: DuckDB looks up an
-- index for a join on one column only, and scans the table for any other.
UPDATE steps
SET
    name = again.name,
    status = again.status,
    conclusion = again.conclusion,
    started_at = again.started_at,
    finished_at = again.finished_at,
    duration_seconds = CASE
        WHEN again.finished_at < again.started_at THEN 0
        ELSE date_diff('second', again.started_at, again.finished_at)
    END,
    version = again.version
FROM incoming_steps AS again
WHERE steps.job_id = again.job_id AND CASE WHEN steps.number = again.number THEN again.version > steps.version END;
