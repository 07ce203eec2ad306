-- How many workflow runs match: the same parameters as run_page, without limit and offset.
SELECT count(*) AS total
FROM runs
WHERE ($provider IS NULL OR provider = $provider)
    AND ($repository IS NULL OR repository = $repository)
    AND ($branch IS NULL OR branch = $branch)
    AND ($pipeline_id IS NULL OR pipeline_id = $pipeline_id)
    AND ($statuses IS NULL OR list_contains($statuses, status))
    AND ($since IS NULL OR last_activity_at >= $since)
    AND ($until IS NULL OR last_activity_at < $until)
