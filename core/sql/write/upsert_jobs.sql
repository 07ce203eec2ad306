-- Jobs of the batch: the largest version wins; creation and start are the first moments named, because some systems name
-- each of them once only. Queue time is known once a job has started; a clock that runs backwards (seen on re-runs) counts
-- as no wait.
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
    attempt_id = CASE WHEN excluded.version > version THEN excluded.attempt_id ELSE attempt_id END,
    name = CASE WHEN excluded.version > version THEN excluded.name ELSE name END,
    status = CASE WHEN excluded.version > version THEN excluded.status ELSE status END,
    conclusion = CASE WHEN excluded.version > version THEN excluded.conclusion ELSE conclusion END,
    runner_name = CASE WHEN excluded.version > version THEN excluded.runner_name ELSE runner_name END,
    labels = CASE WHEN excluded.version > version THEN excluded.labels ELSE labels END,
    url = CASE WHEN excluded.version > version THEN excluded.url ELSE url END,
    created_at = least(excluded.created_at, created_at),
    started_at = least(excluded.started_at, started_at),
    finished_at = CASE WHEN excluded.version > version THEN excluded.finished_at ELSE finished_at END,
    duration_seconds = CASE
        WHEN CASE WHEN excluded.version > version THEN excluded.finished_at ELSE finished_at END < least(excluded.started_at, started_at) THEN 0
        ELSE date_diff('second', least(excluded.started_at, started_at), CASE WHEN excluded.version > version THEN excluded.finished_at ELSE finished_at END)
    END,
    queue_seconds = CASE
        WHEN CASE WHEN excluded.version > version THEN excluded.status ELSE status END IN ('running', 'success', 'failed', 'cancelled')
        THEN CASE
            WHEN least(excluded.started_at, started_at) < least(excluded.created_at, created_at) THEN 0
            ELSE date_diff('second', least(excluded.created_at, created_at), least(excluded.started_at, started_at))
        END
    END,
    version = greatest(excluded.version, version);
