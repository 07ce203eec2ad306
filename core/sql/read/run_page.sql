-- A page of workflow runs (latest attempts), newest first; the id makes the order total.
-- $provider, $repository, $branch, $pipeline_id: text or NULL (any). $statuses: list of text or NULL (any).
-- $since, $until: UTC times or NULL; they bound the run's last activity (its end, else its start). $limit rows after $offset.
-- The page is chosen by its few deciding columns; only its own rows are then read whole (an eighth of the time on 1 M runs).
WITH page AS MATERIALIZED (
    SELECT r.id
    FROM all_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE r.is_latest
        AND ($provider IS NULL OR p.provider = $provider)
        AND ($repository IS NULL OR p.repository = $repository)
        AND ($branch IS NULL OR r.branch = $branch)
        AND ($pipeline_id IS NULL OR r.pipeline_id = $pipeline_id)
        AND ($statuses IS NULL OR list_contains($statuses, r.status))
        AND ($since IS NULL OR r.last_activity_at >= $since)
        AND ($until IS NULL OR r.last_activity_at < $until)
    ORDER BY r.begun_at DESC, r.run_key DESC
    LIMIT $limit OFFSET $offset
)
SELECT
    r.run_key AS id, r.id AS attempt_id, r.pipeline_id, r.provider, p.repository, p.repository_url, p.name AS pipeline, r.run_id,
    r.run_attempt, r.run_number, r.status, r.conclusion, r.event, r.title, r.branch, r.base_branch,
    CASE WHEN p.default_branch IS NULL THEN coalesce(r.branch IN ('main', 'master', 'trunk'), TRUE) ELSE r.branch = p.default_branch END AND NOT r.is_fork AS on_default_branch,
    r.is_fork, r.head_repository, r.head_sha, r.commit_message, r.commit_author, r.actor, r.url, r.created_at, r.started_at,
    r.finished_at, r.updated_at, r.duration_seconds, r.begun_at
FROM page
JOIN all_runs AS r ON r.id = page.id
JOIN pipelines AS p ON p.id = r.pipeline_id
ORDER BY r.begun_at DESC, r.run_key DESC
