-- Steps of all jobs of one attempt, in order. $attempt_id: text.
SELECT s.job_id, s.number, s.name, s.status, s.conclusion, s.started_at, s.finished_at, s.duration_seconds
FROM all_steps AS s
WHERE s.job_id IN (SELECT j.id FROM all_jobs AS j WHERE j.attempt_id = $attempt_id)
ORDER BY s.job_id, s.number
