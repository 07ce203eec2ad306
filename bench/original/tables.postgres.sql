-- The same tables on PostgreSQL.
CREATE TABLE pipelines (
    id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL, repository TEXT NOT NULL, owner TEXT NOT NULL,
    branch TEXT DEFAULT 'main', workflow_file TEXT, provider TEXT DEFAULT 'github_actions', status TEXT DEFAULT 'unknown',
    last_run_number INTEGER, last_run_url TEXT, last_run_time TIMESTAMP, created_at TIMESTAMP, updated_at TIMESTAMP
);
CREATE TABLE workflow_runs (
    id BIGSERIAL PRIMARY KEY, pipeline_id BIGINT NOT NULL, run_number INTEGER NOT NULL,
    run_id TEXT NOT NULL, status TEXT NOT NULL, conclusion TEXT, start_time TIMESTAMP, end_time TIMESTAMP, duration INTEGER,
    commit_hash TEXT, commit_message TEXT, author TEXT, run_url TEXT, workflow_name TEXT, "trigger" TEXT, metadata JSONB,
    created_at TIMESTAMP
);
CREATE TABLE alerts (
    id BIGSERIAL PRIMARY KEY, pipeline_id BIGINT, type TEXT NOT NULL, message TEXT NOT NULL, severity TEXT DEFAULT 'medium',
    is_active BOOLEAN DEFAULT TRUE, created_at TIMESTAMP, resolved_at TIMESTAMP
);
