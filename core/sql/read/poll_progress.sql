-- What is stored of one repository's history, and how many of its attempts are still to be read (those whose jobs were never
-- read, and those that must exist because a later one does). $provider, $repository_id: text.
WITH own AS (
    SELECT r.id, r.run_key, r.run_attempt, r.status, r.is_latest, a.attempt_id IS NOT NULL AS is_read
    FROM workflow_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    LEFT JOIN poll_attempts AS a ON a.attempt_id = r.id
    WHERE p.provider = $provider AND p.repository_id = $repository_id
)
SELECT
    count(DISTINCT run_key) AS runs,
    count(*) AS attempts,
    count(*) FILTER (WHERE NOT is_read AND status IN ('success', 'failed', 'cancelled', 'skipped'))
        + coalesce(sum(run_attempt - 1) FILTER (WHERE is_latest), 0)
        - count(*) FILTER (WHERE NOT is_latest) AS attempts_left,
    (SELECT count(*) FROM jobs AS j JOIN own AS o ON o.id = j.attempt_id) AS jobs
FROM own
