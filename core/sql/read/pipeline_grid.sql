-- The newest $limit attempts of a pipeline with all their jobs: one row for each job, one without a job where none is known.
-- $id: the pipeline's id. $branch: text or NULL (any). Newest attempt first, its jobs in the order in which they began. Seconds.
WITH newest AS (
    SELECT id
    FROM workflow_runs
    WHERE pipeline_id = $id AND ($branch IS NULL OR branch = $branch)
    ORDER BY coalesce(started_at, created_at) DESC, id DESC
    LIMIT $limit
)
SELECT
    r.id AS attempt_id, r.run_key AS id, r.run_number, r.run_attempt, r.status, r.branch, r.head_sha,
    coalesce(r.started_at, r.created_at) AS begun_at, j.name AS job, j.status AS job_status, j.duration_seconds AS job_seconds,
    j.started_at AS job_started_at
FROM newest AS n
JOIN workflow_runs AS r ON r.id = n.id
LEFT JOIN jobs AS j ON j.attempt_id = r.id
ORDER BY begun_at DESC, r.id DESC, j.started_at NULLS LAST, j.name
