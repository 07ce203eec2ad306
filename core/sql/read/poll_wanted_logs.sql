-- Failed jobs on default branches whose logs were never read whole, newest first. $provider: text; $repository_id: text.
-- $since: UTC time; older ones are fetched when somebody asks. $limit rows.
SELECT
    j.id, j.attempt_id, j.job_id, j.name, j.status, j.finished_at,
    r.provider, p.repository, r.run_id, r.run_attempt
FROM jobs AS j
JOIN workflow_runs AS r ON r.id = j.attempt_id
JOIN pipelines AS p ON p.id = r.pipeline_id
WHERE p.provider = $provider AND p.repository_id = $repository_id
    AND j.status = 'failed' AND j.finished_at >= $since
    AND NOT r.is_fork
    AND (r.branch = p.default_branch OR (p.default_branch IS NULL AND r.branch IN ('main', 'master', 'trunk')))
    AND NOT EXISTS (SELECT 1 FROM job_logs AS l WHERE l.job_id = j.id AND l.status <> 'partial')
ORDER BY j.finished_at DESC, j.id
LIMIT $limit
