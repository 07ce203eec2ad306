-- Files that old runs, with their jobs and steps, were moved to. kind: workflow_runs, jobs or steps. The views all_* are
-- made anew whenever a file is added (core/store/archive.py); without one they are the tables themselves.
CREATE TABLE archived_files (
    path VARCHAR PRIMARY KEY,
    kind VARCHAR NOT NULL,
    month VARCHAR NOT NULL,
    row_count BIGINT NOT NULL,
    archived_at TIMESTAMPTZ NOT NULL
);

CREATE VIEW all_runs AS SELECT * FROM workflow_runs;
CREATE VIEW all_jobs AS SELECT * FROM jobs;
CREATE VIEW all_steps AS SELECT * FROM steps;

CREATE OR REPLACE VIEW attempts AS
SELECT
    r.id, r.run_key, r.pipeline_id, r.provider, p.repository, p.repository_url, p.name AS pipeline, p.default_branch,
    r.run_id, r.run_attempt, r.run_number, r.is_latest, r.status, r.conclusion, r.event, r.title,
    r.branch, r.base_branch,
    CASE WHEN p.default_branch IS NULL THEN coalesce(r.branch IN ('main', 'master', 'trunk'), TRUE) ELSE r.branch = p.default_branch END AND NOT r.is_fork AS on_default_branch,
    r.head_sha, r.head_repository, r.is_fork, r.commit_message, r.commit_author, r.actor, r.url,
    r.created_at, r.started_at, r.finished_at, r.updated_at, r.duration_seconds, r.begun_at, r.last_activity_at
FROM all_runs AS r
JOIN pipelines AS p ON p.id = r.pipeline_id;

CREATE OR REPLACE VIEW job_runs AS
SELECT
    j.id, j.attempt_id, a.run_key, a.pipeline_id, j.provider, a.repository, a.pipeline, a.branch, a.head_sha,
    a.run_id, a.run_attempt, j.job_id, j.name, j.status, j.conclusion, j.runner_name, j.labels, j.url,
    j.created_at, j.started_at, j.finished_at, j.duration_seconds, j.queue_seconds
FROM all_jobs AS j
JOIN attempts AS a ON a.id = j.attempt_id;
