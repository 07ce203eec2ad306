-- Silences that are in force or still to come, the next to end first. $now: UTC time.
SELECT id, starts_at, ends_at, pipeline_id, repository, branch, type, reason, created_by, created_at
FROM silences
WHERE ends_at > $now
ORDER BY ends_at, id
