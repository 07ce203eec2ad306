-- A page of alerts: those that wait for a person first, the most severe and newest of them on top, then the ended ones.
-- $statuses: list of text or NULL (any). $severity, $type, $provider, $repository, $branch, $pipeline_id, $alert_id: text or NULL.
-- $since: UTC time or NULL; alerts that ended before are left out. $limit rows after $offset.
SELECT
    a.id, a.type, a.severity, a.status, a.pipeline_id, p.provider, p.repository, p.repository_url, p.name AS pipeline, a.branch,
    a.message, a.occurrences, a.attempt_id, r.run_key, r.run_number, r.url AS run_url, r.head_sha, r.commit_message, r.commit_author,
    a.created_at, a.last_seen_at, a.acknowledged_at, a.acknowledged_by, a.note, a.snoozed_until, a.held,
    a.resolved_at, a.resolved_by, a.resolved_attempt_id, f.run_key AS resolved_run_key, x.job_id AS log_job_id, x.excerpt
FROM alerts AS a
JOIN pipelines AS p ON p.id = a.pipeline_id
LEFT JOIN workflow_runs AS r ON r.id = a.attempt_id
LEFT JOIN workflow_runs AS f ON f.id = a.resolved_attempt_id
LEFT JOIN (
    SELECT attempt_id, job_id, excerpt, row_number() OVER (PARTITION BY attempt_id ORDER BY job_id) AS place
    FROM job_logs
    WHERE excerpt IS NOT NULL
) AS x ON x.attempt_id = a.attempt_id AND x.place = 1
WHERE ($statuses IS NULL OR list_contains($statuses, a.status))
    AND ($severity IS NULL OR a.severity = $severity)
    AND ($type IS NULL OR a.type = $type)
    AND ($provider IS NULL OR p.provider = $provider)
    AND ($repository IS NULL OR p.repository = $repository)
    AND ($branch IS NULL OR a.branch = $branch)
    AND ($pipeline_id IS NULL OR a.pipeline_id = $pipeline_id)
    AND ($alert_id IS NULL OR a.id = $alert_id)
    AND ($since IS NULL OR a.status <> 'resolved' OR a.resolved_at >= $since)
ORDER BY
    CASE WHEN a.status = 'resolved' THEN 3 WHEN a.severity = 'critical' THEN 0 WHEN a.severity = 'warning' THEN 1 ELSE 2 END,
    coalesce(a.resolved_at, a.last_seen_at) DESC, a.id
LIMIT $limit OFFSET $offset
