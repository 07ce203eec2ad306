-- Failed jobs whose logs say why, newest first, as little of each as grouping takes. $provider, $repository, $branch: text or
-- NULL (any). $until: UTC time. $limit rows.
SELECT f.mask_id, j.id AS job_id, r.run_key, r.pipeline_id, j.finished_at AS failed_at
FROM failure_lines AS f
JOIN jobs AS j ON j.id = f.job_id
JOIN workflow_runs AS r ON r.id = j.attempt_id
JOIN pipelines AS p ON p.id = r.pipeline_id
WHERE j.status = 'failed' AND j.finished_at < $until
    AND ($provider IS NULL OR p.provider = $provider)
    AND ($repository IS NULL OR p.repository = $repository)
    AND ($branch IS NULL OR r.branch = $branch)
ORDER BY j.finished_at DESC, j.id
LIMIT $limit
