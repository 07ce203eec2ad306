-- A page of workflow runs (latest attempts), newest first; the id makes the order total.
-- $provider, $repository, $branch, $pipeline_id: text or NULL (any). $statuses: list of text or NULL (any).
-- $since, $until: UTC times or NULL; they bound the run's last activity (its end, else its start). $limit rows after $offset.
SELECT
    run_key AS id, id AS attempt_id, pipeline_id, provider, repository, repository_url, pipeline, run_id, run_attempt, run_number,
    status, conclusion, event, title, branch, base_branch, on_default_branch, is_fork, head_repository, head_sha,
    commit_message, commit_author, actor, url, created_at, started_at, finished_at, updated_at, duration_seconds, begun_at
FROM runs
WHERE ($provider IS NULL OR provider = $provider)
    AND ($repository IS NULL OR repository = $repository)
    AND ($branch IS NULL OR branch = $branch)
    AND ($pipeline_id IS NULL OR pipeline_id = $pipeline_id)
    AND ($statuses IS NULL OR list_contains($statuses, status))
    AND ($since IS NULL OR last_activity_at >= $since)
    AND ($until IS NULL OR last_activity_at < $until)
ORDER BY begun_at DESC, run_key DESC
LIMIT $limit OFFSET $offset
