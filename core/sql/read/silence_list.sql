-- Silences that are in force or still to come (again), the next to end first. $now: UTC time.
SELECT id, starts_at, ends_at, pipeline_id, repository, branch, type, reason, created_by, created_at, repeats, zone
FROM silences
WHERE ends_at > $now OR repeats IS NOT NULL
ORDER BY ends_at, id
