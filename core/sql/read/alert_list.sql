-- Alerts, the most severe and newest first. $statuses: list of text or NULL (any). $provider, $repository, $branch: text or NULL.
SELECT
    a.id, a.type, a.severity, a.status, a.pipeline_id, p.provider, p.repository, p.repository_url, p.name AS pipeline, a.branch, a.message,
    a.occurrences, a.attempt_id, r.run_key, r.run_number, r.url AS run_url, r.head_sha, r.commit_message, r.commit_author,
    a.created_at, a.last_seen_at, a.acknowledged_at, a.acknowledged_by, a.note, a.snoozed_until,
    a.resolved_at, a.resolved_by, a.resolved_attempt_id
FROM alerts AS a
JOIN pipelines AS p ON p.id = a.pipeline_id
LEFT JOIN workflow_runs AS r ON r.id = a.attempt_id
WHERE ($statuses IS NULL OR list_contains($statuses, a.status))
    AND ($provider IS NULL OR p.provider = $provider)
    AND ($repository IS NULL OR p.repository = $repository)
    AND ($branch IS NULL OR a.branch = $branch)
ORDER BY CASE a.severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, a.last_seen_at DESC, a.id
LIMIT $limit
