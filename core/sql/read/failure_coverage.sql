-- How many jobs failed in the window, and of how many of them the log says why. $provider, $repository, $branch: text or NULL
-- (any). $since, $until: UTC times that bound the job's end.
SELECT count(*) AS failed, count(f.job_id) AS explained
FROM jobs AS j
JOIN workflow_runs AS r ON r.id = j.attempt_id
JOIN pipelines AS p ON p.id = r.pipeline_id
LEFT JOIN failure_lines AS f ON f.job_id = j.id
WHERE j.status = 'failed' AND j.finished_at >= $since AND j.finished_at < $until
    AND ($provider IS NULL OR p.provider = $provider)
    AND ($repository IS NULL OR p.repository = $repository)
    AND ($branch IS NULL OR r.branch = $branch)
