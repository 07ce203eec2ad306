-- The 7-day chart and the sparklines of the tiles: one row for each calendar day of the viewer that saw runs.
-- A finished run counts on the day it finished, an unfinished one on the day it began.
-- $provider, $repository, $branch: text or NULL (any). $zone: IANA time zone. $chart_start: UTC time of the first midnight.
SELECT
    CAST(date_trunc('day', last_activity_at AT TIME ZONE $zone) AS DATE) AS day,
    count(*) FILTER (WHERE status = 'success') AS success,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status IN ('running', 'queued', 'blocked')) AS running,
    count(*) FILTER (WHERE status IN ('cancelled', 'skipped')) AS cancelled,
    count(DISTINCT pipeline_id) AS pipelines,
    count(DISTINCT CASE WHEN status = 'failed' AND on_default_branch THEN pipeline_id END) AS failed_pipelines,
    avg(CASE WHEN status IN ('success', 'failed') THEN duration_seconds END) AS avg_build_time
FROM runs
WHERE last_activity_at >= $chart_start
    AND ($provider IS NULL OR provider = $provider)
    AND ($repository IS NULL OR repository = $repository)
    AND ($branch IS NULL OR branch = $branch)
GROUP BY day
ORDER BY day
