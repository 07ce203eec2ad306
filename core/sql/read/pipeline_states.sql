-- Each pipeline as a build light shows it: its newest finished run, and whether a run is under way, both on its default branch.
-- $id: a pipeline's id or NULL (all). Where nothing finished on the default branch, status and what follows is NULL.
WITH chosen AS (
    SELECT pipeline_id, status, run_number, finished_at, url
    FROM runs
    WHERE on_default_branch AND ($id IS NULL OR pipeline_id = $id)
)
SELECT
    p.id, p.provider, p.repository, p.repository_url, p.name AS pipeline,
    arg_max(c.status, c.finished_at) FILTER (WHERE c.status IN ('success', 'failed')) AS status,
    arg_max(c.run_number, c.finished_at) FILTER (WHERE c.status IN ('success', 'failed')) AS run_number,
    arg_max(c.url, c.finished_at) FILTER (WHERE c.status IN ('success', 'failed')) AS url,
    max(c.finished_at) FILTER (WHERE c.status IN ('success', 'failed')) AS finished_at,
    coalesce(bool_or(c.status IN ('running', 'queued')), FALSE) AS is_running
FROM pipelines AS p
LEFT JOIN chosen AS c ON c.pipeline_id = p.id
WHERE $id IS NULL OR p.id = $id
GROUP BY p.id, p.provider, p.repository, p.repository_url, p.name
ORDER BY p.repository, p.name, p.id
