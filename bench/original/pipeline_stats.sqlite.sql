WITH counted AS MATERIALIZED (
    SELECT
        r.pipeline_id, r.status, r.duration,
        coalesce(r.start_time, r.created_at) >= :window_start AND coalesce(r.start_time, r.created_at) < :window_end AS begun_now,
        coalesce(r.start_time, r.created_at) >= :previous_start AND coalesce(r.start_time, r.created_at) < :window_start AS begun_before,
        r.status IN ('success', 'failed') AND r.end_time >= :window_start AND r.end_time < :window_end AS ended_now,
        r.status IN ('success', 'failed') AND r.end_time >= :previous_start AND r.end_time < :window_start AS ended_before
    FROM workflow_runs AS r
    WHERE r.created_at >= :previous_start_less_a_day
),
windows AS (
    SELECT
        pipeline_id,
        count(*) FILTER (WHERE begun_now) AS runs,
        count(*) FILTER (WHERE begun_before) AS previous_runs,
        count(*) FILTER (WHERE ended_now AND status = 'success') AS success,
        count(*) FILTER (WHERE ended_now AND status = 'failed') AS failed,
        count(*) FILTER (WHERE ended_before AND status = 'success') AS previous_success,
        count(*) FILTER (WHERE ended_before AND status = 'failed') AS previous_failed
    FROM counted
    GROUP BY pipeline_id
),
ranked AS (
    SELECT
        pipeline_id, duration, row_number() OVER (PARTITION BY pipeline_id ORDER BY duration) - 1 AS place,
        count(*) OVER (PARTITION BY pipeline_id) AS n
    FROM counted
    WHERE ended_now
),
-- The two neighbours of a quantile, weighted by how near they are.
quantiles AS (
    SELECT
        pipeline_id,
        sum(duration * max(0.0, 1 - abs(place - 0.5 * (n - 1)))) AS p50_seconds,
        sum(duration * max(0.0, 1 - abs(place - 0.95 * (n - 1)))) AS p95_seconds
    FROM ranked
    GROUP BY pipeline_id
)
SELECT
    p.repository, p.name AS pipeline, p.last_run_time AS last_begun_at, coalesce(w.runs, 0) AS runs,
    coalesce(w.previous_runs, 0) AS previous_runs, coalesce(w.success, 0) AS success, coalesce(w.failed, 0) AS failed,
    coalesce(w.previous_success, 0) AS previous_success, coalesce(w.previous_failed, 0) AS previous_failed,
    q.p50_seconds, q.p95_seconds
FROM pipelines AS p
LEFT JOIN windows AS w ON w.pipeline_id = p.id
LEFT JOIN quantiles AS q ON q.pipeline_id = p.id
ORDER BY p.repository, p.name, p.id
