-- How long a pipeline's default branch was broken: from the end of the first failed run after a success (or of the first
-- known run) to the end of the next successful one. Latest attempts; recovered_at and seconds are NULL while it is broken.

CREATE VIEW recoveries AS
WITH finished AS (
    SELECT
        r.run_key, r.pipeline_id, p.provider, p.repository, p.name AS pipeline, r.status, r.finished_at,
        lag(r.status) OVER (PARTITION BY r.pipeline_id ORDER BY r.finished_at, r.run_key) AS status_before
    FROM workflow_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE r.is_latest AND r.status IN ('success', 'failed') AND r.finished_at IS NOT NULL AND NOT r.is_fork
        AND CASE WHEN p.default_branch IS NULL THEN coalesce(r.branch IN ('main', 'master', 'trunk'), TRUE) ELSE r.branch = p.default_branch END
),
turns AS (
    SELECT
        run_key, pipeline_id, provider, repository, pipeline, status, finished_at,
        lead(finished_at) OVER (PARTITION BY pipeline_id ORDER BY finished_at, run_key) AS recovered_at,
        lead(run_key) OVER (PARTITION BY pipeline_id ORDER BY finished_at, run_key) AS recovered_by
    FROM finished
    WHERE status IS DISTINCT FROM status_before
)
SELECT
    pipeline_id, provider, repository, pipeline, run_key AS first_failure_id, finished_at AS broke_at, recovered_by, recovered_at,
    date_diff('second', finished_at, recovered_at) AS seconds
FROM turns
WHERE status = 'failed';
