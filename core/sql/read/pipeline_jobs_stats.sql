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
decided AS (
    SELECT pipeline_id, attempt_id, head_sha, name, status, is_current
    FROM known
    WHERE status IN ('success', 'failed') AND head_sha IS NOT NULL
),
-- Only a commit on which something failed can be flaky, and few do: the rest is counted without looking at its jobs by name.
failed_on AS (
    SELECT DISTINCT pipeline_id, head_sha, is_current FROM decided WHERE status = 'failed'
),
by_job AS (
    SELECT
        d.pipeline_id, d.head_sha, d.is_current,
        min(d.status) <> max(d.status) AND min(d.attempt_id) <> max(d.attempt_id) AS is_flaky
    FROM decided AS d
    JOIN failed_on AS f ON f.pipeline_id = d.pipeline_id AND f.head_sha = d.head_sha AND f.is_current = d.is_current
    GROUP BY d.pipeline_id, d.head_sha, d.name, d.is_current
),
flaky AS (
    SELECT pipeline_id, head_sha, is_current FROM by_job WHERE is_flaky GROUP BY pipeline_id, head_sha, is_current
),
by_commit AS (
    SELECT c.pipeline_id, c.is_current, f.head_sha IS NOT NULL AS is_flaky
    FROM (SELECT DISTINCT pipeline_id, head_sha, is_current FROM decided) AS c
    LEFT JOIN flaky AS f ON f.pipeline_id = c.pipeline_id AND f.head_sha = c.head_sha AND f.is_current = c.is_current
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
