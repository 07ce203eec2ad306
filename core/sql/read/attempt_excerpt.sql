-- Why an attempt failed: the excerpt of the first of its jobs that has one. $attempt_id: text.
SELECT job_id, excerpt
FROM job_logs
WHERE attempt_id = $attempt_id AND excerpt IS NOT NULL
ORDER BY job_id
LIMIT 1
