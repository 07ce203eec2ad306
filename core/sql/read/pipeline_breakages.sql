-- The newest $limit times that a pipeline's default branch broke, and until when. $id: the pipeline's id. Seconds.
SELECT first_failure_id, broke_at, recovered_by, recovered_at, seconds
FROM recoveries
WHERE pipeline_id = $id
ORDER BY broke_at DESC
LIMIT $limit
