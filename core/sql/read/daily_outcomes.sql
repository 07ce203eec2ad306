-- The 7-day chart and the sparklines of the tiles: one row for each calendar day of the viewer that saw runs.
-- A finished run counts on the day it finished, an unfinished one on the day it began.
-- $provider, $repository, $branch: text or NULL (any). $zone: IANA time zone. $chart_start: UTC time of the first midnight.
-- Every time zone's midnights lie on quarters of an hour: asked by quarter instead of by run, the calendar costs nothing.
WITH chosen AS (
    SELECT
        r.pipeline_id, r.status, r.duration_seconds, CAST(floor(epoch(r.last_activity_at) / 900) AS BIGINT) AS quarter,
        CASE WHEN p.default_branch IS NULL THEN coalesce(r.branch IN ('main', 'master', 'trunk'), TRUE) ELSE r.branch = p.default_branch END AND NOT r.is_fork AS on_default_branch
    FROM workflow_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE r.is_latest
        AND r.last_activity_at >= $chart_start
        AND ($provider IS NULL OR p.provider = $provider)
        AND ($repository IS NULL OR p.repository = $repository)
        AND ($branch IS NULL OR r.branch = $branch)
),
quarters AS (
    SELECT q.quarter, CAST(date_trunc('day', to_timestamp(q.quarter * 900) AT TIME ZONE $zone) AS DATE) AS day
    FROM (SELECT DISTINCT quarter FROM chosen) AS q
)
SELECT
    q.day,
    count(*) FILTER (WHERE c.status = 'success') AS success,
    count(*) FILTER (WHERE c.status = 'failed') AS failed,
    count(*) FILTER (WHERE c.status IN ('running', 'queued', 'blocked')) AS running,
    count(*) FILTER (WHERE c.status IN ('cancelled', 'skipped')) AS cancelled,
    count(DISTINCT c.pipeline_id) AS pipelines,
    count(DISTINCT CASE WHEN c.status = 'failed' AND c.on_default_branch THEN c.pipeline_id END) AS failed_pipelines,
    avg(CASE WHEN c.status IN ('success', 'failed') THEN c.duration_seconds END) AS avg_build_time
FROM chosen AS c
JOIN quarters AS q ON q.quarter = c.quarter
GROUP BY q.day
ORDER BY q.day
