-- The runs of each pipeline in a window and in the window of equal length before it: one row for each pipeline that has runs.
-- $id, $provider, $repository, $branch: text or NULL (any). $window_start, $window_end, $previous_start: UTC times.
-- Latest attempts. runs counts those that began in the window, the rest those that finished in it. Durations are seconds.
WITH chosen AS (
    SELECT
        r.pipeline_id, r.status, r.duration_seconds, r.finished_at, coalesce(r.started_at, r.created_at) AS begun_at,
        coalesce(r.finished_at, r.started_at, r.created_at) >= $previous_start AS is_recent
    FROM workflow_runs AS r
    WHERE r.is_latest AND ($id IS NULL OR r.pipeline_id = $id) AND ($branch IS NULL OR r.branch = $branch)
),
counted AS (
    SELECT
        pipeline_id, status, duration_seconds,
        begun_at >= $window_start AND begun_at < $window_end AS begun_now,
        begun_at >= $previous_start AND begun_at < $window_start AS begun_before,
        status IN ('success', 'failed') AND finished_at >= $window_start AND finished_at < $window_end AS ended_now,
        status IN ('success', 'failed') AND finished_at >= $previous_start AND finished_at < $window_start AS ended_before
    FROM chosen
    WHERE is_recent
),
windows AS (
    SELECT
        pipeline_id,
        count(*) FILTER (WHERE begun_now) AS runs,
        count(*) FILTER (WHERE begun_before) AS previous_runs,
        count(*) FILTER (WHERE ended_now AND status = 'success') AS success,
        count(*) FILTER (WHERE ended_now AND status = 'failed') AS failed,
        count(*) FILTER (WHERE ended_before AND status = 'success') AS previous_success,
        count(*) FILTER (WHERE ended_before AND status = 'failed') AS previous_failed,
        quantile_cont(duration_seconds, 0.5) FILTER (WHERE ended_now) AS p50_seconds,
        quantile_cont(duration_seconds, 0.95) FILTER (WHERE ended_now) AS p95_seconds,
        quantile_cont(duration_seconds, 0.5) FILTER (WHERE ended_before) AS previous_p50_seconds,
        quantile_cont(duration_seconds, 0.95) FILTER (WHERE ended_before) AS previous_p95_seconds
    FROM counted
    GROUP BY pipeline_id
),
ever AS (
    SELECT pipeline_id, max(begun_at) AS last_begun_at FROM chosen GROUP BY pipeline_id
)
SELECT
    p.id AS pipeline_id, p.provider, p.repository, p.repository_url, p.name AS pipeline, p.path, p.default_branch, e.last_begun_at,
    coalesce(w.runs, 0) AS runs, coalesce(w.previous_runs, 0) AS previous_runs,
    coalesce(w.success, 0) AS success, coalesce(w.failed, 0) AS failed,
    coalesce(w.previous_success, 0) AS previous_success, coalesce(w.previous_failed, 0) AS previous_failed,
    w.success / nullif(w.success + w.failed, 0) AS success_rate,
    w.previous_success / nullif(w.previous_success + w.previous_failed, 0) AS previous_success_rate,
    w.p50_seconds, w.p95_seconds, w.previous_p50_seconds, w.previous_p95_seconds
FROM ever AS e
JOIN pipelines AS p ON p.id = e.pipeline_id
LEFT JOIN windows AS w ON w.pipeline_id = e.pipeline_id
WHERE ($provider IS NULL OR p.provider = $provider) AND ($repository IS NULL OR p.repository = $repository)
ORDER BY p.repository, p.name, p.id
