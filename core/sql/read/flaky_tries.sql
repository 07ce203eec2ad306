-- The evidence of one flaky job: its tries on the commits on which it both failed and succeeded, newest commit first.
-- $pipeline_id, $job: which job. $branch: text or NULL (any). $since, $until: UTC times that bound the end of a try.
-- $limit rows; the definitions are those of flaky_jobs.
WITH tries AS (
    SELECT
        r.id AS attempt_id, r.run_key, r.run_id, r.run_number, r.run_attempt, r.branch, r.head_sha, r.commit_message, j.id AS job_id,
        j.status, j.finished_at, coalesce(j.duration_seconds, 0) AS seconds
    FROM workflow_runs AS r
    JOIN jobs AS j ON j.attempt_id = r.id
    WHERE r.pipeline_id = $pipeline_id AND j.name = $job
        AND j.finished_at >= $since AND j.finished_at < $until AND j.status IN ('success', 'failed')
        AND r.head_sha IS NOT NULL
        AND (r.run_attempt = 1 OR r.started_at IS NULL OR j.started_at IS NULL OR j.started_at >= r.started_at)
        AND ($branch IS NULL OR r.branch = $branch)
),
flaky AS (
    SELECT head_sha, max(finished_at) AS newest_at
    FROM tries
    GROUP BY head_sha
    HAVING count(DISTINCT status) = 2 AND min(attempt_id) <> max(attempt_id)
)
SELECT
    t.run_key AS id, t.attempt_id, t.run_id, t.run_number, t.run_attempt, t.branch, t.head_sha, t.commit_message, t.job_id, t.status,
    t.finished_at, t.seconds
FROM tries AS t
JOIN flaky AS f ON f.head_sha = t.head_sha
ORDER BY f.newest_at DESC, t.head_sha, t.finished_at, t.job_id
LIMIT $limit
