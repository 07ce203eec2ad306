WITH counted AS (
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
        count(*) FILTER (WHERE ended_before AND status = 'failed') AS previous_failed,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY duration) FILTER (WHERE ended_now) AS p50_seconds,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY duration) FILTER (WHERE ended_now) AS p95_seconds
    FROM counted
    GROUP BY pipeline_id
)
SELECT
    p.repository, p.name AS pipeline, p.last_run_time AS last_begun_at, coalesce(w.runs, 0) AS runs,
    coalesce(w.previous_runs, 0) AS previous_runs, coalesce(w.success, 0) AS success, coalesce(w.failed, 0) AS failed,
    coalesce(w.previous_success, 0) AS previous_success, coalesce(w.previous_failed, 0) AS previous_failed,
    w.p50_seconds, w.p95_seconds
FROM pipelines AS p
LEFT JOIN windows AS w ON w.pipeline_id = p.id
ORDER BY p.repository, p.name, p.id
