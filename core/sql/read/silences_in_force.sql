-- Silences that may hold messages, as `core.silences.Silence` takes them. $now: UTC time.
SELECT id, starts_at, ends_at, pipeline_id, repository, branch, type, repeats, zone
FROM silences
WHERE starts_at <= $now AND (ends_at > $now OR repeats IS NOT NULL)
ORDER BY id
