-- Which runs are meant: a condition over workflow_runs AS r and pipelines AS p. Parameters that are NULL mean any.
-- $provider, $repository, $branch, $pipeline_id, $event, $actor, $author: text. $statuses: list of text. $is_fork: boolean.
-- $min_seconds, $max_seconds bound the duration. $since, $until (UTC times) bound the last activity: the end, else the start.
-- $words: a text in small letters, looked for as it is in what a person may remember of a run: its commit message, title,
-- author, actor and branch, the beginning of its commit and its number. (ILIKE took 2.5 times as long.)
r.is_latest
    AND ($provider IS NULL OR r.provider = $provider)
    AND ($repository IS NULL OR p.repository = $repository)
    AND ($branch IS NULL OR r.branch = $branch)
    AND ($pipeline_id IS NULL OR r.pipeline_id = $pipeline_id)
    AND ($statuses IS NULL OR list_contains($statuses, r.status))
    AND ($event IS NULL OR r.event = $event)
    AND ($actor IS NULL OR r.actor = $actor)
    AND ($author IS NULL OR r.commit_author = $author)
    AND ($is_fork IS NULL OR r.is_fork = $is_fork)
    AND ($min_seconds IS NULL OR r.duration_seconds >= $min_seconds)
    AND ($max_seconds IS NULL OR r.duration_seconds <= $max_seconds)
    AND ($since IS NULL OR coalesce(r.finished_at, r.started_at, r.created_at) >= $since)
    AND ($until IS NULL OR coalesce(r.finished_at, r.started_at, r.created_at) < $until)
    AND ($words IS NULL OR strpos(lower(r.commit_message), $words) > 0 OR strpos(lower(r.title), $words) > 0
        OR strpos(lower(r.commit_author), $words) > 0 OR strpos(lower(r.actor), $words) > 0 OR strpos(lower(r.branch), $words) > 0
        OR starts_with(r.head_sha, $words) OR CAST(r.run_number AS VARCHAR) = $words)
