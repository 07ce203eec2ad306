-- All runs (latest attempts) that match, newest first, for files: the same parameters as run_count.
SELECT
    pipeline, repository, provider, run_number, run_attempt, status, conclusion, duration_seconds, branch, head_sha,
    commit_message, commit_author, created_at, started_at, finished_at, run_key AS id, url
FROM runs
WHERE ($provider IS NULL OR provider = $provider)
    AND ($repository IS NULL OR repository = $repository)
    AND ($branch IS NULL OR branch = $branch)
    AND ($pipeline_id IS NULL OR pipeline_id = $pipeline_id)
    AND ($statuses IS NULL OR list_contains($statuses, status))
    AND ($since IS NULL OR last_activity_at >= $since)
    AND ($until IS NULL OR last_activity_at < $until)
ORDER BY begun_at DESC, run_key DESC
