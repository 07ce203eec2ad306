-- What only the jobs of each pipeline can tell, in a window and in the one before: queue time and flakiness.
-- $id, $branch: text or NULL (any). $window_start, $window_end, $previous_start: UTC times. All attempts; seconds.
-- flaky_commits: commits on which a job (by its name) both failed and succeeded, in different attempts; tested_commits: those
-- with any such result. Jobs that a re-run carried over untouched (they began before the attempt did) count in neither.
WITH known AS (
    SELECT
        r.pipeline_id, r.id AS attempt_id, r.head_sha, j.name, j.status, j.queue_seconds,
        j.finished_at >= $window_start AS is_current
    FROM jobs AS j
    JOIN workflow_runs AS r ON r.id = j.attempt_id
    WHERE j.finished_at >= $previous_start AND j.finished_at < $window_end
        AND (r.run_attempt = 1 OR r.started_at IS NULL OR j.started_at IS NULL OR j.started_at >= r.started_at)
        AND ($id IS NULL OR r.pipeline_id = $id) AND ($branch IS NULL OR r.branch = $branch)
),
queues AS (
    SELECT
        pipeline_id,
        quantile_cont(queue_seconds, 0.5) FILTER (WHERE is_current) AS queue_seconds,
        quantile_cont(queue_seconds, 0.95) FILTER (WHERE is_current) AS p95_queue_seconds,
        quantile_cont(queue_seconds, 0.5) FILTER (WHERE NOT is_current) AS previous_queue_seconds
    FROM known
    WHERE status IN ('success', 'failed', 'cancelled')
    GROUP BY pipeline_id
),
by_job AS (
    SELECT
        pipeline_id, head_sha, is_current,
        count(DISTINCT status) = 2 AND min(attempt_id) <> max(attempt_id) AS is_flaky
    FROM known
    WHERE status IN ('success', 'failed') AND head_sha IS NOT NULL
    GROUP BY pipeline_id, head_sha, name, is_current
),
by_commit AS (
    SELECT pipeline_id, is_current, bool_or(is_flaky) AS is_flaky FROM by_job GROUP BY pipeline_id, head_sha, is_current
),
flakiness AS (
    SELECT
        pipeline_id,
        count(*) FILTER (WHERE is_current) AS tested_commits,
        count(*) FILTER (WHERE is_current AND is_flaky) AS flaky_commits,
        count(*) FILTER (WHERE NOT is_current) AS previous_tested_commits,
        count(*) FILTER (WHERE NOT is_current AND is_flaky) AS previous_flaky_commits
    FROM by_commit
    GROUP BY pipeline_id
)
SELECT
    q.pipeline_id, q.queue_seconds, q.p95_queue_seconds, q.previous_queue_seconds,
    coalesce(f.tested_commits, 0) AS tested_commits, coalesce(f.flaky_commits, 0) AS flaky_commits,
    f.flaky_commits / nullif(f.tested_commits, 0) AS flakiness,
    f.previous_flaky_commits / nullif(f.previous_tested_commits, 0) AS previous_flakiness
FROM queues AS q
LEFT JOIN flakiness AS f ON f.pipeline_id = q.pipeline_id
ORDER BY q.pipeline_id
