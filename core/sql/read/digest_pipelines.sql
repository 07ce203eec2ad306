-- Pipelines of this week and the one before: latest attempts that finished in them. $previous_start, $window_start, $window_end:
-- UTC times. p50_seconds: median duration of successful runs. newest_status: how the newest finished run on the default branch ended.
WITH finished AS (
    SELECT
        r.pipeline_id, r.run_key, r.status, r.finished_at, r.duration_seconds, r.finished_at >= $window_start AS is_current,
        CASE WHEN p.default_branch IS NULL THEN coalesce(r.branch IN ('main', 'master', 'trunk'), TRUE) ELSE coalesce(r.branch = p.default_branch, FALSE) END AND NOT r.is_fork AS on_default
    FROM workflow_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE r.is_latest AND r.status IN ('success', 'failed') AND r.finished_at >= $previous_start AND r.finished_at < $window_end
),
counted AS (
    SELECT
        pipeline_id,
        count(*) FILTER (WHERE is_current AND status = 'success') AS success,
        count(*) FILTER (WHERE is_current AND status = 'failed') AS failed,
        count(*) FILTER (WHERE NOT is_current AND status = 'success') AS previous_success,
        count(*) FILTER (WHERE NOT is_current AND status = 'failed') AS previous_failed
    FROM finished
    GROUP BY pipeline_id
),
newest AS (
    SELECT pipeline_id, run_key, status
    FROM (
        SELECT pipeline_id, run_key, status, row_number() OVER (PARTITION BY pipeline_id ORDER BY finished_at DESC, run_key DESC) AS place
        FROM finished
        WHERE on_default
    ) AS ordered
    WHERE place = 1
)
SELECT
    p.repository, c.pipeline_id, p.name AS pipeline, c.success, c.failed, c.previous_success, c.previous_failed,
    n.status AS newest_status, n.run_key AS newest_run
FROM counted AS c
JOIN pipelines AS p ON p.id = c.pipeline_id
LEFT JOIN newest AS n ON n.pipeline_id = c.pipeline_id
ORDER BY c.pipeline_id
