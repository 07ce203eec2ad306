-- Finished attempts of one repository whose jobs were never read whole, newest first, and how many there are in all.
-- $provider, $repository_id: text. $since: UTC time or NULL; older runs are left alone. $limit rows.
SELECT r.id, r.run_id, r.run_attempt, r.updated_at, count(*) OVER () AS total
FROM workflow_runs AS r
JOIN pipelines AS p ON p.id = r.pipeline_id
WHERE p.provider = $provider AND p.repository_id = $repository_id
    AND r.status IN ('success', 'failed', 'cancelled', 'skipped')
    AND ($since IS NULL OR r.created_at >= $since)
    AND NOT EXISTS (SELECT 1 FROM poll_attempts AS a WHERE a.attempt_id = r.id)
ORDER BY r.created_at DESC, r.id DESC
LIMIT $limit
