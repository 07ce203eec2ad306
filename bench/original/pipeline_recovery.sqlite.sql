-- The id is put together as ours is, so that the answers can be compared.
-- Whole seconds before they are read: SQLite rounds to milliseconds, which lifts .9996 to the next second.
WITH finished AS (
    SELECT r.run_id, r.pipeline_id, r.status, r.end_time
    FROM workflow_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE r.status IN ('success', 'failed') AND r.end_time IS NOT NULL AND (r.metadata ->> '$.head_branch') = p.branch
),
ordered AS (
    SELECT *, lag(status) OVER (PARTITION BY pipeline_id ORDER BY end_time, run_id) AS status_before FROM finished
),
turns AS (
    SELECT pipeline_id, status, end_time, lead(end_time) OVER (PARTITION BY pipeline_id ORDER BY end_time, run_id) AS ended_at
    FROM ordered
    WHERE status_before IS NULL OR status <> status_before
),
failed AS (
    SELECT *, ended_at >= :window_start AND ended_at < :window_end AS counts, unixepoch(substr(ended_at, 1, 19)) - unixepoch(substr(end_time, 1, 19)) AS seconds
    FROM turns
    WHERE status = 'failed' AND (ended_at IS NULL OR ended_at >= :previous_start)
),
ranked AS (
    SELECT
        pipeline_id, seconds, row_number() OVER (PARTITION BY pipeline_id ORDER BY seconds) - 1 AS place,
        count(*) OVER (PARTITION BY pipeline_id) AS n
    FROM failed
    WHERE counts
),
-- The two neighbours of the median, weighted by how near they are.
medians AS (
    SELECT pipeline_id, sum(seconds * max(0.0, 1 - abs(place - 0.5 * (n - 1)))) AS recovery_seconds FROM ranked GROUP BY pipeline_id
)
SELECT
    'gh-' || CAST(1 + (p.id - 1) % 60 AS TEXT) || '-' || CAST(p.id - 1 AS TEXT) AS pipeline_id, m.recovery_seconds, count(*) FILTER (WHERE f.counts) AS recoveries,
    max(CASE WHEN f.ended_at IS NULL THEN f.end_time END) AS broken_since
FROM failed AS f
JOIN pipelines AS p ON p.id = f.pipeline_id
LEFT JOIN medians AS m ON m.pipeline_id = f.pipeline_id
GROUP BY p.id
