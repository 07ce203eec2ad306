-- A page of the runs explorer: the runs (latest attempts) of parts/run_filter, whose parameters it has. $limit rows after $offset.
-- $sort: 'newest', 'oldest', 'longest' or 'shortest'. Durations in seconds.
-- The page is chosen by its few deciding columns; only its own rows are then read whole.
WITH page AS MATERIALIZED (
    SELECT r.id
    FROM all_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE
        -- include run_filter
    ORDER BY
        CASE WHEN $sort = 'longest' THEN r.duration_seconds WHEN $sort = 'shortest' THEN -r.duration_seconds END DESC NULLS LAST,
        CASE WHEN $sort = 'oldest' THEN -epoch(coalesce(r.started_at, r.created_at)) ELSE epoch(coalesce(r.started_at, r.created_at)) END DESC,
        r.run_key DESC
    LIMIT $limit OFFSET $offset
)
SELECT
    r.run_key AS id, r.id AS attempt_id, r.pipeline_id, r.provider, p.repository, p.repository_url, p.name AS pipeline, r.run_id,
    r.run_attempt, r.run_number, r.status, r.conclusion, r.event, r.title, r.branch, r.base_branch, r.is_fork, r.head_repository,
    r.head_sha, r.commit_message, r.commit_author, r.actor, r.url, r.created_at, r.started_at, r.finished_at, r.updated_at,
    r.duration_seconds, coalesce(r.started_at, r.created_at) AS begun_at
FROM page
JOIN all_runs AS r ON r.id = page.id
JOIN pipelines AS p ON p.id = r.pipeline_id
ORDER BY
    CASE WHEN $sort = 'longest' THEN r.duration_seconds WHEN $sort = 'shortest' THEN -r.duration_seconds END DESC NULLS LAST,
    CASE WHEN $sort = 'oldest' THEN -epoch(coalesce(r.started_at, r.created_at)) ELSE epoch(coalesce(r.started_at, r.created_at)) END DESC,
    r.run_key DESC
