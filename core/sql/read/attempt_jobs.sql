-- Jobs of one attempt in the order in which they began. $attempt_id: text.
SELECT
    id, job_id, name, status, conclusion, runner_name, labels, url, created_at, started_at, finished_at,
    duration_seconds, queue_seconds,
    (SELECT l.excerpt FROM job_logs AS l WHERE l.job_id = jobs.id) AS excerpt
FROM all_jobs AS jobs
WHERE attempt_id = $attempt_id
ORDER BY coalesce(started_at, created_at) NULLS LAST, name, id
