-- Runs of both windows by the index on created_at; older ones only of pipelines that said too little in them.
WITH recent AS MATERIALIZED (
    SELECT
        r.pipeline_id, r.status, r.end_time, r.created_at, r.duration, coalesce(r.start_time, r.created_at) AS begun_at,
        (r.metadata ->> '$.head_branch') = p.branch AS on_default
    FROM workflow_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE r.created_at >= :previous_start_less_a_day
),
states AS (
    SELECT
        pipeline_id,
        max(begun_at) AS last_begun_at,
        max(CASE WHEN on_default AND status = 'success' THEN end_time END) AS success_at,
        max(CASE WHEN on_default AND status = 'failed' THEN end_time END) AS failed_at,
        max(CASE WHEN on_default AND status = 'success' AND end_time < :window_start THEN end_time END) AS success_before_at,
        max(CASE WHEN on_default AND status = 'failed' AND end_time < :window_start THEN end_time END) AS failed_before_at
    FROM recent
    GROUP BY pipeline_id
),
silent AS MATERIALIZED (
    SELECT p.id, p.branch
    FROM pipelines AS p
    LEFT JOIN states AS s ON s.pipeline_id = p.id
    WHERE coalesce(s.success_before_at, s.failed_before_at) IS NULL
),
-- CROSS JOIN keeps the order: few pipelines first, their runs by the index.
older AS (
    SELECT
        r.pipeline_id,
        max(CASE WHEN r.status = 'success' THEN r.end_time END) AS success_at,
        max(CASE WHEN r.status = 'failed' THEN r.end_time END) AS failed_at
    FROM silent AS p
    CROSS JOIN workflow_runs AS r
    WHERE r.pipeline_id = p.id AND r.created_at < :previous_start_less_a_day AND (r.metadata ->> '$.head_branch') = p.branch
    GROUP BY r.pipeline_id
),
now_and_before AS (
    SELECT
        p.id, s.last_begun_at,
        coalesce(s.success_at, o.success_at) AS success_at, coalesce(s.failed_at, o.failed_at) AS failed_at,
        coalesce(s.success_before_at, o.success_at) AS success_before_at,
        coalesce(s.failed_before_at, o.failed_at) AS failed_before_at,
        EXISTS (SELECT 1 FROM workflow_runs AS r WHERE r.pipeline_id = p.id AND r.created_at < :window_start) AS was_there
    FROM pipelines AS p
    LEFT JOIN states AS s ON s.pipeline_id = p.id
    LEFT JOIN older AS o ON o.pipeline_id = p.id
),
counts AS (
    SELECT
        count(*) AS total_pipelines,
        count(*) FILTER (WHERE was_there) AS previous_total_pipelines,
        count(*) FILTER (WHERE last_begun_at >= :window_start) AS active_pipelines,
        count(*) FILTER (WHERE failed_at > success_at OR success_at IS NULL AND failed_at IS NOT NULL) AS failed_pipelines,
        count(*) FILTER (
            WHERE failed_before_at > success_before_at OR success_before_at IS NULL AND failed_before_at IS NOT NULL
        ) AS previous_failed_pipelines
    FROM now_and_before
),
finished AS (
    SELECT status, duration, end_time >= :window_start AS is_current
    FROM recent
    WHERE end_time >= :previous_start AND end_time < :window_end AND status IN ('success', 'failed')
),
outcomes AS (
    SELECT
        count(*) FILTER (WHERE is_current AND status = 'success') AS success,
        count(*) FILTER (WHERE is_current AND status = 'failed') AS failed,
        count(*) FILTER (WHERE NOT is_current AND status = 'success') AS previous_success,
        count(*) FILTER (WHERE NOT is_current AND status = 'failed') AS previous_failed,
        avg(CASE WHEN is_current THEN duration END) AS avg_build_time,
        avg(CASE WHEN NOT is_current THEN duration END) AS previous_avg_build_time
    FROM finished
),
ranked AS (
    SELECT duration, row_number() OVER (ORDER BY duration) - 1 AS place, count(*) OVER () AS n FROM finished WHERE is_current
),
-- The two neighbours of a quantile, weighted by how near they are.
quantiles AS (
    SELECT
        sum(duration * max(0.0, 1 - abs(place - 0.5 * (n - 1)))) AS p50_build_time,
        sum(duration * max(0.0, 1 - abs(place - 0.95 * (n - 1)))) AS p95_build_time
    FROM ranked
)
SELECT
    c.*, o.success, o.failed, o.previous_success, o.previous_failed, o.avg_build_time, o.previous_avg_build_time,
    o.success * 1.0 / nullif(o.success + o.failed, 0) AS success_rate,
    o.previous_success * 1.0 / nullif(o.previous_success + o.previous_failed, 0) AS previous_success_rate,
    q.p50_build_time, q.p95_build_time,
    (SELECT count(*) FROM recent WHERE begun_at >= :day_ago) AS last_24h_runs
FROM counts AS c, outcomes AS o, quantiles AS q
