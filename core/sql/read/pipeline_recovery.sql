-- Time to recovery of each pipeline: the median over the recoveries that ended in the window and in the one before, and since
-- when it is broken (NULL: it isn't). A recovery lasts from the end of the first failed run on the default branch after a
-- success (or of the first known run) to the end of the next successful one. Latest attempts; seconds. The view `recoveries`
-- has each of them; this reads only what can matter to the windows (1 M runs: 0.15 s instead of 1 s).
-- $id: text or NULL (all pipelines). $window_start, $window_end, $previous_start: UTC times.
WITH finished AS (
    SELECT r.run_key, r.pipeline_id, r.status, r.finished_at
    FROM workflow_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE r.is_latest AND r.status IN ('success', 'failed') AND r.finished_at IS NOT NULL AND NOT r.is_fork
        AND ($id IS NULL OR r.pipeline_id = $id)
        AND CASE WHEN p.default_branch IS NULL THEN coalesce(r.branch IN ('main', 'master', 'trunk'), TRUE) ELSE r.branch = p.default_branch END
),
-- Nothing before the last success ahead of the window can matter.
anchors AS (
    SELECT pipeline_id, max(finished_at) AS last_success_at
    FROM finished
    WHERE status = 'success' AND finished_at < $previous_start
    GROUP BY pipeline_id
),
considered AS (
    SELECT
        f.run_key, f.pipeline_id, f.status, f.finished_at,
        lag(f.status) OVER (PARTITION BY f.pipeline_id ORDER BY f.finished_at, f.run_key) AS status_before
    FROM finished AS f
    LEFT JOIN anchors AS a ON a.pipeline_id = f.pipeline_id
    WHERE a.last_success_at IS NULL OR f.finished_at >= a.last_success_at
),
turns AS (
    SELECT
        pipeline_id, status, finished_at, run_key,
        lead(finished_at) OVER (PARTITION BY pipeline_id ORDER BY finished_at, run_key) AS ended_at
    FROM considered
    WHERE status IS DISTINCT FROM status_before
)
SELECT
    pipeline_id,
    quantile_cont(date_diff('second', finished_at, ended_at), 0.5) FILTER (
        WHERE ended_at >= $window_start AND ended_at < $window_end
    ) AS recovery_seconds,
    count(*) FILTER (WHERE ended_at >= $window_start AND ended_at < $window_end) AS recoveries,
    quantile_cont(date_diff('second', finished_at, ended_at), 0.5) FILTER (
        WHERE ended_at >= $previous_start AND ended_at < $window_start
    ) AS previous_recovery_seconds,
    max(finished_at) FILTER (WHERE ended_at IS NULL) AS broken_since
FROM turns
WHERE status = 'failed'
GROUP BY pipeline_id
ORDER BY pipeline_id
