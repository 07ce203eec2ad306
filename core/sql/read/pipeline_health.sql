-- What the alert rules ask of each pipeline, latest attempts only. $pipeline_ids: list of text or NULL (all). $now: UTC time.
-- Only pipelines that did anything in 30 days: one row each, durations in seconds.
-- newest_*: the newest finished run. running_*: the one that has been running longest. failed_*: the newest failed one.
-- A pipeline's first run and last success lie before those 30 days where nothing within them says otherwise.
WITH chosen AS (
    SELECT r.id, r.pipeline_id, r.status, r.duration_seconds, r.created_at, r.started_at, r.finished_at
    FROM workflow_runs AS r
    WHERE r.is_latest AND r.last_activity_at > $now - INTERVAL 30 DAY
        AND ($pipeline_ids IS NULL OR list_contains($pipeline_ids, r.pipeline_id))
),
without_success AS (
    SELECT pipeline_id FROM chosen GROUP BY pipeline_id HAVING count(*) FILTER (WHERE status = 'success') = 0
),
before AS (
    SELECT r.pipeline_id, min(r.created_at) AS first_run_at, max(r.finished_at) FILTER (WHERE r.status = 'success') AS last_success_at
    FROM workflow_runs AS r
    JOIN without_success AS w ON w.pipeline_id = r.pipeline_id
    WHERE r.is_latest AND r.last_activity_at <= $now - INTERVAL 30 DAY
    GROUP BY r.pipeline_id
),
health AS (
    SELECT
        c.pipeline_id,
        any_value(p.name) AS pipeline,
        count(*) FILTER (WHERE c.status IN ('success', 'failed') AND c.finished_at > $now - INTERVAL 24 HOUR AND c.finished_at <= $now) AS finished_24h,
        count(*) FILTER (WHERE c.status = 'failed' AND c.finished_at > $now - INTERVAL 24 HOUR AND c.finished_at <= $now) AS failed_24h,
        coalesce(max(c.finished_at) FILTER (WHERE c.status = 'success'), max(b.last_success_at)) AS last_success_at,
        least(min(c.created_at), min(b.first_run_at)) AS first_run_at,
        quantile_cont(c.duration_seconds, 0.95) FILTER (
            WHERE c.status IN ('success', 'failed') AND c.finished_at > $now - INTERVAL 30 DAY
        ) AS p95_seconds,
        max({'at': c.finished_at, 'id': c.id, 'seconds': c.duration_seconds}) FILTER (WHERE c.status IN ('success', 'failed')) AS newest,
        min({'at': c.started_at, 'id': c.id}) FILTER (WHERE c.status = 'running' AND c.started_at > $now - INTERVAL 7 DAY) AS running,
        max({'at': c.finished_at, 'id': c.id}) FILTER (WHERE c.status = 'failed' AND c.finished_at > $now - INTERVAL 30 DAY) AS failed
    FROM chosen AS c
    JOIN pipelines AS p ON p.id = c.pipeline_id
    LEFT JOIN before AS b ON b.pipeline_id = c.pipeline_id
    GROUP BY c.pipeline_id
)
SELECT
    h.pipeline_id, h.pipeline, h.finished_24h, h.failed_24h, h.last_success_at, h.first_run_at, h.p95_seconds,
    h.newest.at AS newest_at, h.newest.id AS newest_id, h.newest.seconds AS newest_seconds,
    h.running.at AS running_at, h.running.id AS running_id, h.failed.at AS failed_at, h.failed.id AS failed_id
FROM health AS h
ORDER BY h.pipeline_id
