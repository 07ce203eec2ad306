-- The jobs of a pipeline by name, of all attempts, that finished in the window as success or failed; the slowest first.
-- $id: the pipeline's id. $branch: text or NULL (any). $window_start, $window_end: UTC times. $limit rows.
-- success_rate is a fraction of 1; durations and queue times are seconds, total_seconds all of them together.
SELECT
    j.name AS job,
    count(*) AS runs,
    count(*) FILTER (WHERE j.status = 'failed') AS failed,
    count(*) FILTER (WHERE j.status = 'success') / count(*) AS success_rate,
    quantile_cont(j.duration_seconds, 0.5) AS p50_seconds,
    quantile_cont(j.duration_seconds, 0.95) AS p95_seconds,
    quantile_cont(j.queue_seconds, 0.5) AS queue_seconds,
    CAST(sum(j.duration_seconds) AS BIGINT) AS total_seconds
FROM jobs AS j
JOIN workflow_runs AS r ON r.id = j.attempt_id
WHERE r.pipeline_id = $id AND j.status IN ('success', 'failed') AND j.finished_at >= $window_start AND j.finished_at < $window_end
    AND ($branch IS NULL OR r.branch = $branch)
GROUP BY j.name
ORDER BY p50_seconds DESC NULLS LAST, j.name
LIMIT $limit
