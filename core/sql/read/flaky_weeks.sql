-- The course of flakiness: one row for each job and week that saw it flaky. A commit counts in the week of its last try.
-- $provider, $repository, $branch: text or NULL (any). $since, $until: UTC times. $zone: IANA time zone; weeks begin on Monday.
-- wasted_seconds and the other definitions are those of flaky_jobs.
-- Only commits with a failure are looked at whole: they are few.
WITH suspects AS (
    SELECT DISTINCT r.pipeline_id, r.head_sha
    FROM jobs AS j
    JOIN workflow_runs AS r ON r.id = j.attempt_id
    WHERE j.finished_at >= $since AND j.finished_at < $until AND j.status = 'failed' AND r.head_sha IS NOT NULL
),
tries AS (
    SELECT
        r.pipeline_id, r.run_key, r.head_sha, r.id AS attempt_id, j.id, j.name, j.status = 'success' AS passed,
        j.finished_at, coalesce(j.duration_seconds, 0) AS seconds
    FROM jobs AS j
    JOIN workflow_runs AS r ON r.id = j.attempt_id
    JOIN pipelines AS p ON p.id = r.pipeline_id
    JOIN suspects AS s ON s.pipeline_id = r.pipeline_id AND s.head_sha = r.head_sha
    WHERE j.finished_at >= $since AND j.finished_at < $until AND j.status IN ('success', 'failed')
        AND r.head_sha IS NOT NULL
        AND (r.run_attempt = 1 OR r.started_at IS NULL OR j.started_at IS NULL OR j.started_at >= r.started_at)
        AND ($provider IS NULL OR p.provider = $provider)
        AND ($repository IS NULL OR p.repository = $repository)
        AND ($branch IS NULL OR r.branch = $branch)
),
flaky AS (
    SELECT pipeline_id, name, head_sha, max(finished_at) AS last_at
    FROM tries
    GROUP BY pipeline_id, name, head_sha
    HAVING bool_or(passed) AND NOT bool_and(passed) AND min(attempt_id) <> max(attempt_id)
),
ranked AS (
    SELECT
        t.pipeline_id, t.name, t.head_sha, t.passed, t.seconds, f.last_at,
        row_number() OVER (PARTITION BY t.pipeline_id, t.name, t.run_key ORDER BY t.passed DESC, t.finished_at DESC, t.id) AS place
    FROM tries AS t
    JOIN flaky AS f ON f.pipeline_id = t.pipeline_id AND f.name = t.name AND f.head_sha = t.head_sha
)
SELECT
    pipeline_id, name AS job, CAST(date_trunc('week', last_at AT TIME ZONE $zone) AS DATE) AS week,
    count(DISTINCT head_sha) AS flaky_commits,
    CAST(coalesce(sum(seconds) FILTER (WHERE NOT (passed AND place = 1)), 0) AS BIGINT) AS wasted_seconds
FROM ranked
GROUP BY pipeline_id, name, week
ORDER BY week, pipeline_id, name
