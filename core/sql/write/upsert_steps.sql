-- Steps of the batch: each belongs to a word about its job, and the newest word wins.
-- Reads incoming_steps, which holds each key once.
INSERT INTO steps
SELECT
    job_id, number, name, status, conclusion, started_at, finished_at,
    CASE WHEN finished_at < started_at THEN 0 ELSE date_diff('second', started_at, finished_at) END AS duration_seconds, version
FROM incoming_steps
ON CONFLICT (job_id, number) DO UPDATE SET
    name = excluded.name,
    status = excluded.status,
    conclusion = excluded.conclusion,
    started_at = excluded.started_at,
    finished_at = excluded.finished_at,
    duration_seconds = excluded.duration_seconds,
    version = excluded.version
WHERE excluded.version > version;
