-- The KPI tiles and GET /metrics/summary: one row, now and for the window of equal length before.
-- $provider, $repository, $branch: text or NULL (any). $window_start, $window_end, $previous_start, $day_ago: UTC times.
-- Rates are fractions of 1, durations seconds. success_rate counts success and failed only, and is NULL without either.
-- Runs of both windows are read first; older ones only of pipelines that said too little in them (a fifth of the time).
WITH chosen_pipelines AS (
    SELECT id, default_branch
    FROM pipelines
    WHERE ($provider IS NULL OR provider = $provider) AND ($repository IS NULL OR repository = $repository)
),
recent_runs AS (
    SELECT
        r.pipeline_id, r.status, r.finished_at, r.begun_at, r.created_at, r.duration_seconds,
        CASE WHEN p.default_branch IS NULL THEN coalesce(r.branch IN ('main', 'master', 'trunk'), TRUE) ELSE r.branch = p.default_branch END AND NOT r.is_fork AS on_default_branch
    FROM workflow_runs AS r
    JOIN chosen_pipelines AS p ON p.id = r.pipeline_id
    WHERE r.is_latest AND r.last_activity_at >= $previous_start AND ($branch IS NULL OR r.branch = $branch)
),
recent_states AS (
    SELECT
        pipeline_id,
        min(created_at) AS first_run_at,
        max(begun_at) AS last_begun_at,
        max(finished_at) FILTER (WHERE on_default_branch AND status = 'success') AS success_at,
        max(finished_at) FILTER (WHERE on_default_branch AND status = 'failed') AS failed_at,
        max(finished_at) FILTER (WHERE on_default_branch AND status = 'success' AND finished_at < $window_start) AS success_before_at,
        max(finished_at) FILTER (WHERE on_default_branch AND status = 'failed' AND finished_at < $window_start) AS failed_before_at
    FROM recent_runs
    GROUP BY pipeline_id
),
silent_pipelines AS (
    SELECT p.id, p.default_branch
    FROM chosen_pipelines AS p
    LEFT JOIN recent_states AS s ON s.pipeline_id = p.id
    WHERE coalesce(s.success_before_at, s.failed_before_at) IS NULL OR s.first_run_at >= $window_start
),
older_states AS (
    SELECT
        r.pipeline_id,
        min(r.created_at) AS first_run_at,
        max(CASE WHEN r.status = 'success' THEN r.finished_at END) FILTER (
            WHERE CASE WHEN p.default_branch IS NULL THEN coalesce(r.branch IN ('main', 'master', 'trunk'), TRUE) ELSE r.branch = p.default_branch END AND NOT r.is_fork
        ) AS success_at,
        max(CASE WHEN r.status = 'failed' THEN r.finished_at END) FILTER (
            WHERE CASE WHEN p.default_branch IS NULL THEN coalesce(r.branch IN ('main', 'master', 'trunk'), TRUE) ELSE r.branch = p.default_branch END AND NOT r.is_fork
        ) AS failed_at
    FROM workflow_runs AS r
    JOIN silent_pipelines AS p ON p.id = r.pipeline_id
    WHERE r.is_latest AND r.last_activity_at < $previous_start AND ($branch IS NULL OR r.branch = $branch)
    GROUP BY r.pipeline_id
),
pipeline_states AS (
    SELECT
        least(s.first_run_at, o.first_run_at) AS first_run_at,
        s.last_begun_at,
        greatest(s.failed_at, o.failed_at) AS failed_at,
        greatest(s.success_at, o.success_at) AS success_at,
        greatest(s.failed_before_at, o.failed_at) AS failed_before_at,
        greatest(s.success_before_at, o.success_at) AS success_before_at
    FROM recent_states AS s
    FULL JOIN older_states AS o ON o.pipeline_id = s.pipeline_id
),
pipeline_counts AS (
    SELECT
        count(*) AS total_pipelines,
        count(*) FILTER (WHERE first_run_at < $window_start) AS previous_total_pipelines,
        count(*) FILTER (WHERE last_begun_at >= $window_start) AS active_pipelines,
        count(*) FILTER (WHERE failed_at > success_at OR success_at IS NULL AND failed_at IS NOT NULL) AS failed_pipelines,
        count(*) FILTER (
            WHERE failed_before_at > success_before_at OR success_before_at IS NULL AND failed_before_at IS NOT NULL
        ) AS previous_failed_pipelines
    FROM pipeline_states
),
finished AS (
    SELECT status, duration_seconds, finished_at >= $window_start AS is_current
    FROM recent_runs
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
    SELECT count(*) AS last_24h_runs FROM recent_runs WHERE begun_at >= $day_ago
)
SELECT
    c.total_pipelines, c.previous_total_pipelines, c.active_pipelines, c.failed_pipelines, c.previous_failed_pipelines,
    o.success, o.failed, o.previous_success, o.previous_failed,
    o.success / nullif(o.success + o.failed, 0) AS success_rate,
    o.previous_success / nullif(o.previous_success + o.previous_failed, 0) AS previous_success_rate,
    o.avg_build_time, o.previous_avg_build_time, o.p50_build_time, o.p95_build_time, d.last_24h_runs
FROM pipeline_counts AS c, outcomes AS o, last_day AS d
