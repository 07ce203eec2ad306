-- When a run began and when it last did anything, kept instead of computed: questions about a window then skip whatever
-- lies outside of it (on 1 M runs, nine tenths of the rows).
ALTER TABLE workflow_runs ADD COLUMN begun_at TIMESTAMPTZ;
ALTER TABLE workflow_runs ADD COLUMN last_activity_at TIMESTAMPTZ;
UPDATE workflow_runs
SET begun_at = coalesce(started_at, created_at), last_activity_at = coalesce(finished_at, started_at, created_at);

CREATE OR REPLACE VIEW attempts AS
SELECT
    r.id, r.run_key, r.pipeline_id, r.provider, p.repository, p.repository_url, p.name AS pipeline, p.default_branch,
    r.run_id, r.run_attempt, r.run_number, r.is_latest, r.status, r.conclusion, r.event, r.title,
    r.branch, r.base_branch,
    CASE WHEN p.default_branch IS NULL THEN coalesce(r.branch IN ('main', 'master', 'trunk'), TRUE) ELSE r.branch = p.default_branch END AND NOT r.is_fork AS on_default_branch,
    r.head_sha, r.head_repository, r.is_fork, r.commit_message, r.commit_author, r.actor, r.url,
    r.created_at, r.started_at, r.finished_at, r.updated_at, r.duration_seconds, r.begun_at, r.last_activity_at
FROM workflow_runs AS r
JOIN pipelines AS p ON p.id = r.pipeline_id;
