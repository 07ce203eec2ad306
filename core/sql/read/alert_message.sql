-- What a message about one alert tells: one row. $alert_id: text.
SELECT
    a.id AS alert_id, a.type, a.severity, a.message, a.branch, a.occurrences, a.created_at, p.name AS pipeline,
    p.id AS pipeline_id, p.repository, coalesce(w.run_key, '') AS build_id, w.url AS run_url, w.head_sha, w.commit_message,
    w.commit_author, (
        SELECT l.excerpt FROM job_logs AS l WHERE l.attempt_id = a.attempt_id AND l.excerpt IS NOT NULL ORDER BY l.job_id LIMIT 1
    ) AS excerpt
FROM alerts AS a
JOIN pipelines AS p ON p.id = a.pipeline_id
LEFT JOIN workflow_runs AS w ON w.id = a.attempt_id
WHERE a.id = $alert_id
