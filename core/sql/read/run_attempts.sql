-- All attempts of one run, newest first. $id: the run's id, or the id of one of its attempts.
SELECT
    run_key AS id, id AS attempt_id, pipeline_id, provider, repository, repository_url, pipeline, default_branch, run_id, run_attempt,
    run_number, is_latest, status, conclusion, event, title, branch, base_branch, on_default_branch, is_fork, head_repository,
    head_sha, commit_message, commit_author, actor, url, created_at, started_at, finished_at, updated_at, duration_seconds
FROM attempts
WHERE run_key = $id OR run_key = (SELECT w.run_key FROM all_runs AS w WHERE w.id = $id)
ORDER BY run_attempt DESC
