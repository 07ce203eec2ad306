-- Attempts of the batch: the largest version wins. The end of an attempt is the first moment at which it was seen finished,
-- because a CI system may touch a finished run later (and moves its updated_at with it). Creation and start are the first
-- moments named too, because some systems name each of them once only.
-- Reads incoming_runs, which holds each attempt once.
INSERT INTO workflow_runs
SELECT
    id, run_key, pipeline_id, provider, run_id, run_attempt, run_number, TRUE AS is_latest, status, conclusion, event, title,
    branch, base_branch, head_sha, head_repository, is_fork, commit_message, commit_author, actor, url,
    created_at, started_at, finished_at, updated_at,
    CASE WHEN finished_at < started_at THEN 0 ELSE date_diff('second', started_at, finished_at) END AS duration_seconds,
    version, coalesce(started_at, created_at) AS begun_at, coalesce(finished_at, started_at, created_at) AS last_activity_at
FROM incoming_runs
ON CONFLICT (id) DO UPDATE SET
    pipeline_id = CASE WHEN excluded.version > version THEN excluded.pipeline_id ELSE pipeline_id END,
    run_number = CASE WHEN excluded.version > version THEN excluded.run_number ELSE run_number END,
    status = CASE WHEN excluded.version > version THEN excluded.status ELSE status END,
    conclusion = CASE WHEN excluded.version > version THEN excluded.conclusion ELSE conclusion END,
    event = CASE WHEN excluded.version > version THEN excluded.event ELSE event END,
    title = CASE WHEN excluded.version > version THEN excluded.title ELSE title END,
    branch = CASE WHEN excluded.version > version THEN excluded.branch ELSE branch END,
    base_branch = CASE WHEN excluded.version > version THEN excluded.base_branch ELSE base_branch END,
    head_sha = CASE WHEN excluded.version > version THEN excluded.head_sha ELSE head_sha END,
    head_repository = CASE WHEN excluded.version > version THEN excluded.head_repository ELSE head_repository END,
    is_fork = CASE WHEN excluded.version > version THEN excluded.is_fork ELSE is_fork END,
    commit_message = CASE WHEN excluded.version > version THEN excluded.commit_message ELSE commit_message END,
    commit_author = CASE WHEN excluded.version > version THEN excluded.commit_author ELSE commit_author END,
    actor = CASE WHEN excluded.version > version THEN excluded.actor ELSE actor END,
    url = CASE WHEN excluded.version > version THEN excluded.url ELSE url END,
    created_at = least(excluded.created_at, created_at),
    started_at = least(excluded.started_at, started_at),
    updated_at = CASE WHEN excluded.version > version THEN excluded.updated_at ELSE updated_at END,
    finished_at = least(excluded.finished_at, finished_at),
    duration_seconds = CASE
        WHEN least(excluded.finished_at, finished_at) < least(excluded.started_at, started_at) THEN 0
        ELSE date_diff('second', least(excluded.started_at, started_at), least(excluded.finished_at, finished_at))
    END,
    version = greatest(excluded.version, version),
    begun_at = coalesce(least(excluded.started_at, started_at), least(excluded.created_at, created_at)),
    last_activity_at = coalesce(
        least(excluded.finished_at, finished_at), least(excluded.started_at, started_at), least(excluded.created_at, created_at)
    );
