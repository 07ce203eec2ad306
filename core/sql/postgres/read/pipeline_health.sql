-- As pipeline_health.sql of DuckDB: figures from one look at 30 days, single runs by their index.
WITH recent AS (
    SELECT
        r.pipeline_id,
        count(*) FILTER (WHERE r.status IN ('success', 'failed') AND r.finished_at > $now - INTERVAL '24 HOUR' AND r.finished_at <= $now) AS finished_24h,
        count(*) FILTER (WHERE r.status = 'failed' AND r.finished_at > $now - INTERVAL '24 HOUR' AND r.finished_at <= $now) AS failed_24h,
        max(r.finished_at) FILTER (WHERE r.status = 'success') AS last_success_at,
        min(r.created_at) AS first_run_at,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY r.duration_seconds) FILTER (
            WHERE r.status IN ('success', 'failed') AND r.finished_at > $now - INTERVAL '30 DAY'
        ) AS p95_seconds
    FROM workflow_runs AS r
    WHERE r.is_latest AND r.last_activity_at > $now - INTERVAL '30 DAY'
        AND ($pipeline_ids IS NULL OR r.pipeline_id = ANY(CAST($pipeline_ids AS TEXT[])))
    GROUP BY r.pipeline_id
)
SELECT
    p.id AS pipeline_id, p.name AS pipeline, recent.finished_24h, recent.failed_24h,
    coalesce(recent.last_success_at, older.last_success_at) AS last_success_at,
    least(recent.first_run_at, older.first_run_at) AS first_run_at, recent.p95_seconds,
    newest.finished_at AS newest_at, newest.id AS newest_id, newest.duration_seconds AS newest_seconds,
    running.started_at AS running_at, running.id AS running_id, failed.finished_at AS failed_at, failed.id AS failed_id
FROM recent
JOIN pipelines AS p ON p.id = recent.pipeline_id
LEFT JOIN LATERAL (
    SELECT min(r.created_at) AS first_run_at, max(r.finished_at) FILTER (WHERE r.status = 'success') AS last_success_at
    FROM workflow_runs AS r
    WHERE recent.last_success_at IS NULL AND r.pipeline_id = p.id AND r.is_latest
        AND r.last_activity_at <= $now - INTERVAL '30 DAY'
) AS older ON TRUE
LEFT JOIN LATERAL (
    SELECT r.id, r.finished_at, r.duration_seconds
    FROM workflow_runs AS r
    WHERE r.pipeline_id = p.id AND r.is_latest AND r.status IN ('success', 'failed')
        AND r.last_activity_at > $now - INTERVAL '30 DAY'
    ORDER BY r.finished_at DESC NULLS LAST, r.id DESC NULLS LAST
    LIMIT 1
) AS newest ON TRUE
LEFT JOIN LATERAL (
    SELECT r.id, r.started_at
    FROM workflow_runs AS r
    WHERE r.pipeline_id = p.id AND r.is_latest AND r.status = 'running' AND r.started_at > $now - INTERVAL '7 DAY'
    ORDER BY r.started_at, r.id
    LIMIT 1
) AS running ON TRUE
LEFT JOIN LATERAL (
    SELECT r.id, r.finished_at
    FROM workflow_runs AS r
    WHERE r.pipeline_id = p.id AND r.is_latest AND r.status = 'failed' AND r.finished_at > $now - INTERVAL '30 DAY'
    ORDER BY r.finished_at DESC NULLS LAST, r.id DESC NULLS LAST
    LIMIT 1
) AS failed ON TRUE
ORDER BY p.id
