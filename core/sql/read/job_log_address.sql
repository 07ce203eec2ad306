-- Where the log of one job is asked for. $id: text.
SELECT
    j.id, j.attempt_id, j.job_id, j.name, j.status, j.finished_at,
    r.provider, p.repository, r.run_id, r.run_attempt
FROM jobs AS j
JOIN workflow_runs AS r ON r.id = j.attempt_id
JOIN pipelines AS p ON p.id = r.pipeline_id
WHERE j.id = $id
