-- Durations of successful runs and jobs, the newest of each series, for finding where they changed. $pipeline_ids: list of text.
-- $since: UTC time that bounds the end. $limit: runs of each series, apart for the default branch and the others.
-- Jobs that a re-run only carried over are left out. job is '' for the whole run. Seconds; a series is in order of its begin.
WITH attempts_in AS (
    SELECT
        r.id, r.pipeline_id, r.head_sha, r.commit_message, r.run_number, r.run_attempt, r.status, r.started_at, r.created_at, r.finished_at, r.duration_seconds,
        CASE WHEN p.default_branch IS NULL THEN coalesce(r.branch IN ('main', 'master', 'trunk'), TRUE) ELSE coalesce(r.branch = p.default_branch, FALSE) END AS on_default
    FROM workflow_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE list_contains($pipeline_ids, r.pipeline_id) AND r.finished_at >= $since AND NOT r.is_fork
),
measured AS (
    SELECT pipeline_id, '' AS job, on_default, id AS attempt_id, head_sha, coalesce(started_at, created_at) AS begun_at, duration_seconds AS seconds
    FROM attempts_in
    WHERE status = 'success' AND duration_seconds > 0
    UNION ALL
    SELECT a.pipeline_id, j.name AS job, a.on_default, a.id AS attempt_id, a.head_sha, j.started_at AS begun_at, j.duration_seconds AS seconds
    FROM jobs AS j
    JOIN attempts_in AS a ON a.id = j.attempt_id
    WHERE j.status = 'success' AND j.duration_seconds > 0 AND j.started_at IS NOT NULL
        AND (a.run_attempt = 1 OR a.started_at IS NULL OR j.started_at >= a.started_at)
),
placed AS (
    SELECT
        pipeline_id, job, on_default, attempt_id, head_sha, begun_at, seconds,
        row_number() OVER (PARTITION BY pipeline_id, job, on_default ORDER BY begun_at DESC, attempt_id DESC) AS place
    FROM measured
)
SELECT pipeline_id, job, on_default, attempt_id, head_sha, begun_at, seconds
FROM placed
WHERE place <= $limit
ORDER BY pipeline_id, job, on_default, begun_at, attempt_id
