-- Attempts of one repository that had not finished when last heard of, newest first; those that wait for a
-- person, who may never come, stand last. $provider, $repository_id: text.
-- $since: older runs are given up. $limit rows.
SELECT r.id, r.run_id, r.run_attempt, r.is_latest, r.status
FROM workflow_runs AS r
JOIN pipelines AS p ON p.id = r.pipeline_id
WHERE p.provider = $provider AND p.repository_id = $repository_id
    AND r.status IN ('queued', 'running', 'blocked')
    AND r.begun_at >= $since
    AND r.id NOT IN (SELECT a.attempt_id FROM poll_attempts AS a)
ORDER BY CASE WHEN r.status = 'blocked' THEN 1 ELSE 0 END, r.created_at DESC, r.id
LIMIT $limit
