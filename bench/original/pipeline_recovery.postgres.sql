-- The id is put together as ours is, so that the answers can be compared.
WITH finished AS (
    SELECT r.run_id, r.pipeline_id, r.status, r.end_time
    FROM workflow_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE r.status IN ('success', 'failed') AND r.end_time IS NOT NULL AND (r.metadata ->> 'head_branch') = p.branch
),
ordered AS (
    SELECT *, lag(status) OVER (PARTITION BY pipeline_id ORDER BY end_time, run_id) AS status_before FROM finished
),
turns AS (
    SELECT pipeline_id, status, end_time, lead(end_time) OVER (PARTITION BY pipeline_id ORDER BY end_time, run_id) AS ended_at
    FROM ordered
    WHERE status_before IS NULL OR status <> status_before
)
SELECT
    'gh-' || CAST(1 + (p.id - 1) % 60 AS TEXT) || '-' || CAST(p.id - 1 AS TEXT) AS pipeline_id,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY floor(extract(epoch FROM ended_at)) - floor(extract(epoch FROM t.end_time))) FILTER (
        WHERE ended_at >= :window_start AND ended_at < :window_end
    ) AS recovery_seconds,
    count(*) FILTER (WHERE ended_at >= :window_start AND ended_at < :window_end) AS recoveries,
    max(t.end_time) FILTER (WHERE ended_at IS NULL) AS broken_since
FROM turns AS t
JOIN pipelines AS p ON p.id = t.pipeline_id
WHERE t.status = 'failed' AND (t.ended_at IS NULL OR t.ended_at >= :previous_start)
GROUP BY p.id, p.repository, p.name
