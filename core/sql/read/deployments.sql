-- Deployments that ended in the window, newest first: each attempt of a marked run is one, and one that failed and was run
-- again is two. $provider, $repository, $branch: text or NULL (any). $since, $until: UTC times that bound the end. $limit rows.
-- $workflow_pattern, $job_pattern: regular expressions over lower-case names, or NULL. $events: list of text.
-- A run is marked by its workflow's name or its event, and ends as itself; else by jobs of a name (an environment's), and ends as they do.
WITH marked AS (
    SELECT
        r.id AS attempt_id, r.run_key, r.pipeline_id, p.provider, p.repository, p.name AS pipeline, r.run_id, r.run_number, r.run_attempt,
        r.branch, r.head_sha, r.commit_message, r.status, r.started_at, r.finished_at
    FROM workflow_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE r.finished_at >= $since AND r.finished_at < $until AND r.status IN ('success', 'failed')
        AND (regexp_matches(lower(p.name), $workflow_pattern) OR list_contains($events, r.event))
        AND ($provider IS NULL OR p.provider = $provider)
        AND ($repository IS NULL OR p.repository = $repository)
        AND ($branch IS NULL OR r.branch = $branch)
),
by_jobs AS (
    SELECT
        r.id AS attempt_id, max(r.run_key) AS run_key, max(r.pipeline_id) AS pipeline_id, max(p.provider) AS provider,
        max(p.repository) AS repository, max(p.name) AS pipeline, max(r.run_id) AS run_id,
        max(r.run_number) AS run_number, max(r.run_attempt) AS run_attempt, max(r.branch) AS branch,
        max(r.head_sha) AS head_sha, max(r.commit_message) AS commit_message,
        CASE WHEN bool_or(j.status = 'failed') THEN 'failed' ELSE 'success' END AS status,
        min(j.started_at) AS started_at, max(j.finished_at) AS finished_at
    FROM jobs AS j
    JOIN workflow_runs AS r ON r.id = j.attempt_id
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE $job_pattern IS NOT NULL AND regexp_matches(lower(j.name), $job_pattern)
        AND j.finished_at >= $since AND j.finished_at < $until AND j.status IN ('success', 'failed')
        AND (r.run_attempt = 1 OR r.started_at IS NULL OR j.started_at IS NULL OR j.started_at >= r.started_at)
        AND NOT (coalesce(regexp_matches(lower(p.name), $workflow_pattern), FALSE) OR coalesce(list_contains($events, r.event), FALSE))
        AND ($provider IS NULL OR p.provider = $provider)
        AND ($repository IS NULL OR p.repository = $repository)
        AND ($branch IS NULL OR r.branch = $branch)
    GROUP BY r.id
)
SELECT
    run_key AS id, attempt_id, pipeline_id, provider, repository, pipeline, run_id, run_number, run_attempt, branch, head_sha,
    commit_message, status, started_at, finished_at
FROM (SELECT * FROM marked UNION ALL SELECT * FROM by_jobs)
ORDER BY finished_at DESC, attempt_id
LIMIT $limit
