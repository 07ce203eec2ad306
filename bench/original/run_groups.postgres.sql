SELECT
    author AS name, count(*) AS runs,
    count(*) FILTER (WHERE status = 'success') AS success,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status IN ('cancelled', 'skipped')) AS cancelled,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY duration) FILTER (WHERE status IN ('success', 'failed')) AS p50_seconds,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY duration) FILTER (WHERE status IN ('success', 'failed')) AS p95_seconds,
    sum(duration) AS total_seconds, max(coalesce(end_time, start_time, created_at)) AS last_at
FROM workflow_runs
WHERE created_at >= :since_less_a_day AND coalesce(end_time, start_time, created_at) >= :since
GROUP BY author
