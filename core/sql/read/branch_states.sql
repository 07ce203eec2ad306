-- The newest finished attempt on each branch of some pipelines that finished anything since $since (UTC time). All attempts
-- count: while a failed run is being re-run, its failure stands. A fork's branches are its own.
-- failures: when its failed attempts of that time finished, in no order. $pipeline_ids: list of text or NULL (all).
SELECT
    newest.pipeline_id, p.name AS pipeline,
    CASE WHEN newest.fork IS NOT NULL THEN newest.fork || ':' || coalesce(newest.branch, '') ELSE coalesce(newest.branch, 'no branch') END AS branch,
    coalesce(CASE WHEN p.default_branch IS NULL THEN coalesce(newest.branch IN ('main', 'master', 'trunk'), TRUE) ELSE newest.branch = p.default_branch END AND newest.fork IS NULL, FALSE) AS on_default_branch,
    newest.attempt.id AS attempt_id, newest.attempt.status AS status, newest.attempt.finished_at AS finished_at, newest.last_success_at, coalesce(newest.failures, []) AS failures
FROM (
    SELECT
        pipeline_id, branch, CASE WHEN is_fork THEN coalesce(head_repository, 'deleted fork') END AS fork,
        max({'finished_at': finished_at, 'id': id, 'status': status}) AS attempt,
        max(finished_at) FILTER (WHERE status = 'success') AS last_success_at,
        list(finished_at) FILTER (WHERE status = 'failed') AS failures
    FROM workflow_runs
    WHERE finished_at >= $since AND status IN ('success', 'failed') AND ($pipeline_ids IS NULL OR list_contains($pipeline_ids, pipeline_id))
    GROUP BY ALL
) AS newest
JOIN pipelines AS p ON p.id = newest.pipeline_id
ORDER BY newest.attempt.finished_at, newest.attempt.id
