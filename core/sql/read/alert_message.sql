-- What a message about one alert tells: one row. $alert_id: text. Of a resolved one, the run is the one that ended it.
SELECT
    a.id AS alert_id, a.type, a.severity, a.status, a.message, a.branch, a.occurrences, a.dedup_key, a.created_at, a.resolved_at,
    p.name AS pipeline, p.id AS pipeline_id, p.provider, p.repository, w.id AS attempt_id, coalesce(w.run_key, '') AS build_id,
    w.url AS run_url, w.head_sha, w.commit_message, w.commit_author
FROM alerts AS a
JOIN pipelines AS p ON p.id = a.pipeline_id
LEFT JOIN workflow_runs AS w ON w.id = coalesce(a.resolved_attempt_id, a.attempt_id)
WHERE a.id = $alert_id
