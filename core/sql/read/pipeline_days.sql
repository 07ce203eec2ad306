-- A pipeline by calendar day of the viewer: outcomes and durations, one row for each day that saw runs (latest attempts).
-- A finished run counts on the day it finished, an unfinished one on the day it began. Durations: seconds, success and failed.
-- $id: the pipeline's id. $branch: text or NULL (any). $zone: IANA time zone. $chart_start: UTC time of the first midnight.
SELECT
    CAST(date_trunc('day', last_activity_at AT TIME ZONE $zone) AS DATE) AS day,
    count(*) FILTER (WHERE status = 'success') AS success,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status IN ('running', 'queued', 'blocked')) AS running,
    count(*) FILTER (WHERE status IN ('cancelled', 'skipped')) AS cancelled,
    quantile_cont(duration_seconds, 0.5) FILTER (WHERE status IN ('success', 'failed')) AS p50_seconds,
    quantile_cont(duration_seconds, 0.95) FILTER (WHERE status IN ('success', 'failed')) AS p95_seconds
FROM runs
WHERE pipeline_id = $id AND last_activity_at >= $chart_start AND ($branch IS NULL OR branch = $branch)
GROUP BY day
ORDER BY day
