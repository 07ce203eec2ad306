-- The newest finished attempt on each branch that the batch finished a run on. All attempts count: while a failed run is
-- being re-run, its failure stands.
-- Reads incoming_runs.
WITH touched AS (
    SELECT DISTINCT
        pipeline_id,
        CASE WHEN is_fork THEN coalesce(head_repository, 'deleted fork') || ':' || coalesce(branch, '') ELSE coalesce(branch, 'no branch') END AS branch_label
    FROM incoming_runs
    WHERE status IN ('success', 'failed')
),
finished AS (
    SELECT
        r.pipeline_id, r.id, r.status, r.finished_at, r.branch, r.is_fork,
        CASE WHEN r.is_fork THEN coalesce(r.head_repository, 'deleted fork') || ':' || coalesce(r.branch, '') ELSE coalesce(r.branch, 'no branch') END AS branch_label
    FROM workflow_runs AS r
    WHERE r.status IN ('success', 'failed') AND r.finished_at IS NOT NULL AND r.pipeline_id IN (SELECT pipeline_id FROM touched)
)
SELECT
    f.pipeline_id, p.name AS pipeline, f.branch_label AS branch,
    coalesce(f.branch = p.default_branch AND NOT f.is_fork, FALSE) AS on_default_branch,
    f.id AS attempt_id, f.status, f.finished_at
FROM finished AS f
JOIN touched USING (pipeline_id, branch_label)
JOIN pipelines AS p ON p.id = f.pipeline_id
QUALIFY row_number() OVER (PARTITION BY f.pipeline_id, f.branch_label ORDER BY f.finished_at DESC, f.id DESC) = 1;
