-- Jobs that both failed and succeeded on the same commit, across attempts or runs; the most wasted time first.
-- $provider, $repository, $branch: text or NULL (any). $since, $until: UTC times that bound the end of a try. $limit rows.
-- A try is one run of a job that ended as success or failed; jobs that a re-run carried over untouched are none.
-- Seconds: wasted_seconds = all tries of each run but the success it needed; waited_seconds = from a run's first failed
-- try to its success. flaky_commits of commits: on how many commits it was flaky, and on how many it ran at all.
WITH tries AS (
    SELECT
        r.pipeline_id, r.run_key, r.head_sha, r.id AS attempt_id, j.id, j.name, j.status = 'success' AS passed,
        j.finished_at, coalesce(j.duration_seconds, 0) AS seconds
    FROM jobs AS j
    JOIN workflow_runs AS r ON r.id = j.attempt_id
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE j.finished_at >= $since AND j.finished_at < $until AND j.status IN ('success', 'failed')
        AND r.head_sha IS NOT NULL
        AND (r.run_attempt = 1 OR r.started_at IS NULL OR j.started_at IS NULL OR j.started_at >= r.started_at)
        AND ($provider IS NULL OR p.provider = $provider)
        AND ($repository IS NULL OR p.repository = $repository)
        AND ($branch IS NULL OR r.branch = $branch)
),
commits AS (
    SELECT
        pipeline_id, name, head_sha,
        bool_or(passed) AND NOT bool_and(passed) AND min(attempt_id) <> max(attempt_id) AS is_flaky
    FROM tries
    GROUP BY pipeline_id, name, head_sha
),
ranked AS (
    SELECT
        t.pipeline_id, t.name, t.head_sha, t.run_key, t.passed, t.seconds, t.finished_at,
        row_number() OVER (PARTITION BY t.pipeline_id, t.name, t.run_key ORDER BY t.passed DESC, t.finished_at DESC, t.id) AS place
    FROM tries AS t
    JOIN commits AS c ON c.pipeline_id = t.pipeline_id AND c.name = t.name AND c.head_sha = t.head_sha
    WHERE c.is_flaky
),
by_run AS (
    SELECT
        pipeline_id, name, run_key,
        count(*) FILTER (WHERE NOT passed) AS failures,
        coalesce(sum(seconds) FILTER (WHERE NOT (passed AND place = 1)), 0) AS wasted_seconds,
        min(finished_at) FILTER (WHERE NOT passed) AS first_failure_at,
        max(finished_at) FILTER (WHERE passed AND place = 1) AS success_at
    FROM ranked
    GROUP BY pipeline_id, name, run_key
),
by_job AS (
    SELECT
        pipeline_id, name, sum(failures) AS failures, sum(wasted_seconds) AS wasted_seconds,
        coalesce(sum(CASE WHEN success_at > first_failure_at THEN date_diff('second', first_failure_at, success_at) END), 0) AS waited_seconds,
        max(first_failure_at) AS last_at
    FROM by_run
    GROUP BY pipeline_id, name
),
seen AS (
    SELECT pipeline_id, name, count(*) AS commits, count(*) FILTER (WHERE is_flaky) AS flaky_commits
    FROM commits
    GROUP BY pipeline_id, name
)
SELECT
    p.provider, p.repository, b.pipeline_id, p.name AS pipeline, b.name AS job,
    CAST(s.flaky_commits AS BIGINT) AS flaky_commits, CAST(s.commits AS BIGINT) AS commits,
    CAST(b.failures AS BIGINT) AS failures, CAST(b.wasted_seconds AS BIGINT) AS wasted_seconds,
    CAST(b.waited_seconds AS BIGINT) AS waited_seconds, b.last_at
FROM by_job AS b
JOIN seen AS s ON s.pipeline_id = b.pipeline_id AND s.name = b.name
JOIN pipelines AS p ON p.id = b.pipeline_id
ORDER BY b.wasted_seconds DESC, b.waited_seconds DESC, b.pipeline_id, b.name
LIMIT $limit
