-- The KPI tiles and GET /metrics/summary: one row, now and for the window of equal length before.
-- $provider, $repository, $branch: text or NULL (any). $window_start, $window_end, $previous_start, $day_ago: UTC times.
-- Rates are fractions of 1, durations seconds. success_rate counts success and failed only, and is NULL without either.
WITH chosen_pipelines AS (
    SELECT id, default_branch
    FROM pipelines
    WHERE ($provider IS NULL OR provider = $provider) AND ($repository IS NULL OR repository = $repository)
),
chosen_runs AS (
    SELECT
        r.pipeline_id, r.status, r.finished_at, r.started_at, r.created_at, r.duration_seconds,
        CASE WHEN p.default_branch IS NULL THEN coalesce(r.branch IN ('main', 'master', 'trunk'), TRUE) ELSE r.branch = p.default_branch END AND NOT r.is_fork AS on_default_branch
    FROM workflow_runs AS r
    JOIN chosen_pipelines AS p ON p.id = r.pipeline_id
    WHERE r.is_latest AND ($branch IS NULL OR r.branch = $branch)
),
pipeline_states AS (
    SELECT
        pipeline_id,
        min(created_at) AS first_run_at,
        max(coalesce(started_at, created_at)) AS last_begun_at,
        max(coalesce(started_at, created_at)) FILTER (WHERE coalesce(started_at, created_at) < $window_start) AS last_begun_before,
        arg_max(status, finished_at) FILTER (WHERE on_default_branch AND status IN ('success', 'failed')) AS newest_status,
        arg_max(status, finished_at) FILTER (
            WHERE on_default_branch AND status IN ('success', 'failed') AND finished_at < $window_start
        ) AS newest_status_before
    FROM chosen_runs
    GROUP BY pipeline_id
),
pipeline_counts AS (
    SELECT
        count(*) AS total_pipelines,
        count(*) FILTER (WHERE first_run_at < $window_start) AS previous_total_pipelines,
        count(*) FILTER (WHERE last_begun_at >= $window_start) AS active_pipelines,
        count(*) FILTER (WHERE newest_status = 'failed') AS failed_pipelines,
        count(*) FILTER (WHERE newest_status_before = 'failed') AS previous_failed_pipelines
    FROM pipeline_states
),
finished AS (
    SELECT status, duration_seconds, finished_at >= $window_start AS is_current
    FROM chosen_runs
    WHERE finished_at >= $previous_start AND finished_at < $window_end AND status IN ('success', 'failed')
),
outcomes AS (
    SELECT
        count(*) FILTER (WHERE is_current AND status = 'success') AS success,
        count(*) FILTER (WHERE is_current AND status = 'failed') AS failed,
        count(*) FILTER (WHERE NOT is_current AND status = 'success') AS previous_success,
        count(*) FILTER (WHERE NOT is_current AND status = 'failed') AS previous_failed,
        avg(duration_seconds) FILTER (WHERE is_current) AS avg_build_time,
        avg(duration_seconds) FILTER (WHERE NOT is_current) AS previous_avg_build_time,
        quantile_cont(duration_seconds, 0.5) FILTER (WHERE is_current) AS p50_build_time,
        quantile_cont(duration_seconds, 0.95) FILTER (WHERE is_current) AS p95_build_time
    FROM finished
),
last_day AS (
    SELECT count(*) AS last_24h_runs FROM chosen_runs WHERE coalesce(started_at, created_at) >= $day_ago
)
SELECT
    c.total_pipelines, c.previous_total_pipelines, c.active_pipelines, c.failed_pipelines, c.previous_failed_pipelines,
    o.success, o.failed, o.previous_success, o.previous_failed,
    o.success / nullif(o.success + o.failed, 0) AS success_rate,
    o.previous_success / nullif(o.previous_success + o.previous_failed, 0) AS previous_success_rate,
    o.avg_build_time, o.previous_avg_build_time, o.p50_build_time, o.p95_build_time, d.last_24h_runs
FROM pipeline_counts AS c, outcomes AS o, last_day AS d
