-- The branches of a pipeline compared: its runs (latest attempts) that finished in the window, busiest branch first.
-- $id: the pipeline's id. $window_start, $window_end: UTC times. $limit rows. Rates are fractions of 1, durations seconds.
SELECT
    branch,
    bool_or(on_default_branch) AS is_default,
    count(*) AS runs,
    count(*) FILTER (WHERE status = 'success') AS success,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status = 'success') / nullif(count(*) FILTER (WHERE status IN ('success', 'failed')), 0) AS success_rate,
    quantile_cont(duration_seconds, 0.5) FILTER (WHERE status IN ('success', 'failed')) AS p50_seconds,
    quantile_cont(duration_seconds, 0.95) FILTER (WHERE status IN ('success', 'failed')) AS p95_seconds,
    max(finished_at) AS last_at
FROM runs
WHERE pipeline_id = $id AND finished_at >= $window_start AND finished_at < $window_end
GROUP BY branch
ORDER BY runs DESC, branch
LIMIT $limit
