-- Jobs of the batch: the largest version wins, whole rows. Queue time is known once a job has started; a clock that runs
-- backwards (seen on re-runs) counts as no wait.
-- Reads incoming_jobs, which holds each key once.
INSERT INTO jobs
SELECT
    id, attempt_id, provider, job_id, name, status, conclusion, runner_name, labels, url, created_at, started_at, finished_at,
    CASE WHEN finished_at < started_at THEN 0 ELSE date_diff('second', started_at, finished_at) END AS duration_seconds,
    CASE WHEN status IN ('running', 'success', 'failed', 'cancelled')
        THEN CASE WHEN started_at < created_at THEN 0 ELSE date_diff('second', created_at, started_at) END END AS queue_seconds,
    version
FROM incoming_jobs
ON CONFLICT (id) DO UPDATE SET
    attempt_id = excluded.attempt_id,
    name = excluded.name,
    status = excluded.status,
    conclusion = excluded.conclusion,
    runner_name = excluded.runner_name,
    labels = excluded.labels,
    url = excluded.url,
    created_at = excluded.created_at,
    started_at = excluded.started_at,
    finished_at = excluded.finished_at,
    duration_seconds = excluded.duration_seconds,
    queue_seconds = excluded.queue_seconds,
    version = excluded.version
WHERE excluded.version > version;
