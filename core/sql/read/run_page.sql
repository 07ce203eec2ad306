-- A page of workflow runs (latest attempts), newest first; the id makes the order total.
-- $provider, $repository, $branch, $pipeline_id: text or NULL (any). $statuses: list of text or NULL (any).
-- $since, $until: UTC times or NULL; they bound the run's last activity (its end, else its start). $limit rows after $offset.
-- The page is chosen by its few deciding columns; only its own rows are then read whole (on 1 M runs half the time).
WITH page AS (
    SELECT r.id
    FROM workflow_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE r.is_latest
        AND ($provider IS NULL OR p.provider = $provider)
        AND ($repository IS NULL OR p.repository = $repository)
        AND ($branch IS NULL OR r.branch = $branch)
        AND ($pipeline_id IS NULL OR r.pipeline_id = $pipeline_id)
        AND ($statuses IS NULL OR list_contains($statuses, r.status))
        AND ($since IS NULL OR coalesce(r.finished_at, r.started_at, r.created_at) >= $since)
        AND ($until IS NULL OR coalesce(r.finished_at, r.started_at, r.created_at) < $until)
    ORDER BY coalesce(r.started_at, r.created_at) DESC, r.run_key DESC
    LIMIT $limit OFFSET $offset
)
SELECT
    run_key AS id, id AS attempt_id, pipeline_id, provider, repository, repository_url, pipeline, run_id, run_attempt, run_number,
    status, conclusion, event, title, branch, base_branch, on_default_branch, is_fork, head_repository, head_sha,
    commit_message, commit_author, actor, url, created_at, started_at, finished_at, updated_at, duration_seconds, begun_at
FROM attempts
WHERE id IN (SELECT page.id FROM page)
ORDER BY begun_at DESC, run_key DESC
