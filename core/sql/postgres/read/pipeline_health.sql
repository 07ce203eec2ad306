-- As pipeline_health.sql of DuckDB. Each pipeline is looked up by its own index entries instead of reading the whole history.
SELECT
    p.id AS pipeline_id, p.name AS pipeline, day.finished_24h, day.failed_24h, good.last_success_at, first.first_run_at,
    month.p95_seconds, newest.finished_at AS newest_at, newest.id AS newest_id, newest.duration_seconds AS newest_seconds,
    running.started_at AS running_at, running.id AS running_id, failed.finished_at AS failed_at, failed.id AS failed_id
FROM pipelines AS p
CROSS JOIN LATERAL (
    SELECT count(*) AS runs, count(*) FILTER (WHERE r.status = 'success') AS successes
    FROM workflow_runs AS r
    WHERE r.pipeline_id = p.id AND r.is_latest AND r.last_activity_at > $now - INTERVAL '30 DAY'
) AS recent
CROSS JOIN LATERAL (
    SELECT
        count(*) AS finished_24h,
        count(*) FILTER (WHERE r.status = 'failed') AS failed_24h
    FROM workflow_runs AS r
    WHERE r.pipeline_id = p.id AND r.is_latest AND r.status IN ('success', 'failed')
        AND r.finished_at > $now - INTERVAL '24 HOUR' AND r.finished_at <= $now
) AS day
CROSS JOIN LATERAL (
    SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY r.duration_seconds) AS p95_seconds
    FROM workflow_runs AS r
    WHERE r.pipeline_id = p.id AND r.is_latest AND r.status IN ('success', 'failed')
        AND r.finished_at > $now - INTERVAL '30 DAY'
) AS month
CROSS JOIN LATERAL (
    SELECT max(r.finished_at) AS last_success_at
    FROM workflow_runs AS r
    WHERE r.pipeline_id = p.id AND r.is_latest AND r.status = 'success'
) AS good
CROSS JOIN LATERAL (
    SELECT min(r.created_at) AS first_run_at
    FROM workflow_runs AS r
    WHERE r.pipeline_id = p.id AND r.is_latest
        AND (r.last_activity_at > $now - INTERVAL '30 DAY' OR recent.successes = 0)
) AS first
LEFT JOIN LATERAL (
    SELECT r.id, r.finished_at, r.duration_seconds
    FROM workflow_runs AS r
    WHERE r.pipeline_id = p.id AND r.is_latest AND r.status IN ('success', 'failed')
        AND r.last_activity_at > $now - INTERVAL '30 DAY'
    ORDER BY r.finished_at DESC NULLS LAST, r.id DESC
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
    ORDER BY r.finished_at DESC, r.id DESC
    LIMIT 1
) AS failed ON TRUE
WHERE ($pipeline_ids IS NULL OR p.id = ANY(CAST($pipeline_ids AS TEXT[])))
    AND recent.runs > 0
ORDER BY p.id
