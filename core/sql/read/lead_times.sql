-- Lead time for changes: from the first run of a commit to the end of the first successful deployment that contains it.
-- $provider, $repository: text or NULL (any). $since, $until: UTC times that bound the deployment's end; $history: UTC time before
-- which runs aren't looked at. $zone: IANA time zone. $workflow_pattern, $job_pattern, $events: as in deployments.
-- A change is a commit that ran on the default branch; a deployment contains the changes that were first seen there no later
-- than its own commit. Seconds. One row over all (day and repository NULL), one a day, one a repository.
WITH seen AS (
    SELECT
        p.provider, p.repository_id, r.head_sha, min(r.created_at) AS first_at,
        min(CASE WHEN CASE WHEN p.default_branch IS NULL THEN coalesce(r.branch IN ('main', 'master', 'trunk'), TRUE) ELSE r.branch = p.default_branch END THEN r.created_at END) AS on_default_at
    FROM workflow_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE r.created_at >= $history AND r.created_at < $until AND r.head_sha IS NOT NULL AND NOT r.is_fork
        AND ($provider IS NULL OR p.provider = $provider)
        AND ($repository IS NULL OR p.repository = $repository)
    GROUP BY p.provider, p.repository_id, r.head_sha
),
deployed AS (
    SELECT p.provider, p.repository_id, p.repository, r.head_sha, r.created_at, r.finished_at
    FROM workflow_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE r.finished_at >= $history AND r.finished_at < $until AND r.status = 'success'
        AND (regexp_matches(lower(p.name), $workflow_pattern) OR list_contains($events, r.event))
        AND ($provider IS NULL OR p.provider = $provider)
        AND ($repository IS NULL OR p.repository = $repository)
    UNION ALL
    SELECT p.provider, p.repository_id, p.repository, r.head_sha, r.created_at, j.finished_at
    FROM jobs AS j
    JOIN workflow_runs AS r ON r.id = j.attempt_id
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE $job_pattern IS NOT NULL AND regexp_matches(lower(j.name), $job_pattern)
        AND j.finished_at >= $history AND j.finished_at < $until AND j.status = 'success'
        AND (r.run_attempt = 1 OR r.started_at IS NULL OR j.started_at IS NULL OR j.started_at >= r.started_at)
        AND NOT (coalesce(regexp_matches(lower(p.name), $workflow_pattern), FALSE) OR coalesce(list_contains($events, r.event), FALSE))
        AND ($provider IS NULL OR p.provider = $provider)
        AND ($repository IS NULL OR p.repository = $repository)
),
timeline AS (
    SELECT provider, repository_id, on_default_at AS at, first_at, CAST(NULL AS TIMESTAMPTZ) AS deployed_at
    FROM seen
    WHERE on_default_at IS NOT NULL
    UNION ALL
    SELECT d.provider, d.repository_id, coalesce(s.on_default_at, d.created_at), CAST(NULL AS TIMESTAMPTZ), d.finished_at
    FROM deployed AS d
    LEFT JOIN seen AS s ON s.provider = d.provider AND s.repository_id = d.repository_id AND s.head_sha = d.head_sha
),
contained AS (
    SELECT
        provider, repository_id, first_at,
        min(deployed_at) OVER (
            PARTITION BY provider, repository_id ORDER BY at RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS deployed_at
    FROM timeline
),
leads AS (
    SELECT
        n.repository, CAST(date_trunc('day', c.deployed_at AT TIME ZONE $zone) AS DATE) AS day,
        greatest(date_diff('second', c.first_at, c.deployed_at), 0) AS seconds
    FROM contained AS c
    JOIN (SELECT DISTINCT provider, repository_id, repository FROM deployed) AS n ON n.provider = c.provider AND n.repository_id = c.repository_id
    WHERE c.first_at IS NOT NULL AND c.deployed_at >= $since AND c.deployed_at < $until
)
SELECT CAST(NULL AS VARCHAR) AS repository, CAST(NULL AS DATE) AS day, count(*) AS changes, quantile_cont(seconds, 0.5) AS p50_seconds, quantile_cont(seconds, 0.9) AS p90_seconds
FROM leads
UNION ALL
SELECT CAST(NULL AS VARCHAR), day, count(*), quantile_cont(seconds, 0.5), quantile_cont(seconds, 0.9) FROM leads GROUP BY day
UNION ALL
SELECT repository, CAST(NULL AS DATE), count(*), quantile_cont(seconds, 0.5), quantile_cont(seconds, 0.9) FROM leads GROUP BY repository
ORDER BY repository NULLS FIRST, day NULLS FIRST
