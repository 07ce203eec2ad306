-- The history that a preview of the alert rules goes through: every attempt that did anything since $since (UTC time).
-- $pipeline_id: text or NULL (all). At most $limit rows, oldest first. Branches are named as in branch_states.
SELECT
    r.id, r.run_key, r.run_attempt, r.pipeline_id, p.name AS pipeline,
    CASE WHEN r.is_fork THEN coalesce(r.head_repository, 'deleted fork') || ':' || coalesce(r.branch, '') ELSE coalesce(r.branch, 'no branch') END AS branch,
    coalesce(CASE WHEN p.default_branch IS NULL THEN coalesce(r.branch IN ('main', 'master', 'trunk'), TRUE) ELSE r.branch = p.default_branch END AND NOT r.is_fork, FALSE) AS on_default_branch,
    r.status, r.created_at, r.started_at, r.finished_at, r.duration_seconds AS seconds
FROM workflow_runs AS r
JOIN pipelines AS p ON p.id = r.pipeline_id
WHERE ($pipeline_id IS NULL OR r.pipeline_id = $pipeline_id)
    AND coalesce(r.finished_at, r.started_at, r.created_at) >= $since
ORDER BY coalesce(r.started_at, r.created_at), r.id
LIMIT $limit
