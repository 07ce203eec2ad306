-- All runs (latest attempts) of parts/run_filter, whose parameters it has, newest first, for files. $limit rows, NULL: all.
SELECT
    p.name AS pipeline, p.repository, r.provider, r.run_number, r.run_attempt, r.status, r.conclusion, r.duration_seconds, r.branch,
    r.head_sha, r.commit_message, r.commit_author, r.created_at, r.started_at, r.finished_at, r.run_key AS id, r.url
FROM all_runs AS r
JOIN pipelines AS p ON p.id = r.pipeline_id
WHERE
    -- include run_filter
ORDER BY coalesce(r.started_at, r.created_at) DESC, r.run_key DESC
LIMIT $limit
