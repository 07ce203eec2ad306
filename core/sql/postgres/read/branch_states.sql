-- As branch_states.sql of DuckDB, whose structs PostgreSQL doesn't have.
WITH ended AS (
    SELECT
        pipeline_id, branch, CASE WHEN is_fork THEN coalesce(head_repository, 'deleted fork') END AS fork, id, status, finished_at
    FROM workflow_runs
    WHERE finished_at >= $since AND status IN ('success', 'failed')
        AND ($pipeline_ids IS NULL OR pipeline_id = ANY(CAST($pipeline_ids AS TEXT[])))
),
placed AS (
    SELECT
        pipeline_id, branch, fork, id, status, finished_at,
        row_number() OVER (PARTITION BY pipeline_id, branch, fork ORDER BY finished_at DESC, id DESC) AS place,
        max(CASE WHEN status = 'success' THEN finished_at END) OVER (PARTITION BY pipeline_id, branch, fork) AS last_success_at,
        array_agg(finished_at) FILTER (WHERE status = 'failed') OVER (PARTITION BY pipeline_id, branch, fork) AS failures
    FROM ended
)
SELECT
    newest.pipeline_id, p.name AS pipeline,
    CASE WHEN newest.fork IS NOT NULL THEN newest.fork || ':' || coalesce(newest.branch, '') ELSE coalesce(newest.branch, 'no branch') END AS branch,
    coalesce(CASE WHEN p.default_branch IS NULL THEN coalesce(newest.branch IN ('main', 'master', 'trunk'), TRUE) ELSE newest.branch = p.default_branch END AND newest.fork IS NULL, FALSE) AS on_default_branch,
    newest.id AS attempt_id, newest.status, newest.finished_at, newest.last_success_at,
    coalesce(newest.failures, CAST('{}' AS TIMESTAMPTZ[])) AS failures
FROM placed AS newest
JOIN pipelines AS p ON p.id = newest.pipeline_id
WHERE newest.place = 1
ORDER BY newest.finished_at, newest.id
