-- What is stored of some attempts. $attempt_ids: list of text.
SELECT id, version
FROM all_runs
WHERE list_contains($attempt_ids, id)
