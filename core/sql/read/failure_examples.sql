-- Some failed jobs whole, newest first: $job_ids: list of text.
SELECT
    j.id AS job_id, j.name AS job, j.finished_at AS failed_at, r.id AS attempt_id, r.run_number, r.run_id, r.run_attempt, r.branch,
    r.head_sha, r.commit_message, r.commit_author, p.provider, p.repository, p.name AS pipeline, f.line, l.excerpt
FROM jobs AS j
JOIN workflow_runs AS r ON r.id = j.attempt_id
JOIN pipelines AS p ON p.id = r.pipeline_id
JOIN failure_lines AS f ON f.job_id = j.id
LEFT JOIN job_logs AS l ON l.job_id = j.id
WHERE list_contains($job_ids, j.id)
ORDER BY j.finished_at DESC, j.id
