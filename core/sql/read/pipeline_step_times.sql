-- The steps of a pipeline's jobs by name, of all attempts, that finished in the window as success or failed; the slowest first.
-- $id: the pipeline's id. $branch: text or NULL (any). $window_start, $window_end: UTC times. $limit rows. Durations in seconds.
SELECT
    j.name AS job,
    s.name AS step,
    count(*) AS runs,
    count(*) FILTER (WHERE s.status = 'failed') AS failed,
    quantile_cont(s.duration_seconds, 0.5) AS p50_seconds,
    quantile_cont(s.duration_seconds, 0.95) AS p95_seconds,
    CAST(sum(s.duration_seconds) AS BIGINT) AS total_seconds
FROM workflow_runs AS r
JOIN jobs AS j ON j.attempt_id = r.id
JOIN steps AS s ON s.job_id = j.id
WHERE r.pipeline_id = $id AND s.status IN ('success', 'failed') AND s.finished_at >= $window_start AND s.finished_at < $window_end
    AND j.finished_at >= $window_start
    AND ($branch IS NULL OR r.branch = $branch)
GROUP BY j.name, s.name
ORDER BY p50_seconds DESC NULLS LAST, j.name, s.name
LIMIT $limit
