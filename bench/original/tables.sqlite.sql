-- The first technical design of a CI/CD health dashboard with this API: its tables and its columns. Times are UTC as SQLAlchemy writes them.
CREATE TABLE pipelines (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, repository TEXT NOT NULL, owner TEXT NOT NULL,
    branch TEXT DEFAULT 'main', workflow_file TEXT, provider TEXT DEFAULT 'github_actions', status TEXT DEFAULT 'unknown',
    last_run_number INTEGER, last_run_url TEXT, last_run_time TIMESTAMP, created_at TIMESTAMP, updated_at TIMESTAMP
);
CREATE TABLE workflow_runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, pipeline_id INTEGER NOT NULL REFERENCES pipelines (id), run_number INTEGER NOT NULL,
    run_id TEXT NOT NULL, status TEXT NOT NULL, conclusion TEXT, start_time TIMESTAMP, end_time TIMESTAMP, duration INTEGER,
    commit_hash TEXT, commit_message TEXT, author TEXT, run_url TEXT, workflow_name TEXT, "trigger" TEXT, metadata TEXT,
    created_at TIMESTAMP
);
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, pipeline_id INTEGER REFERENCES pipelines (id), type TEXT NOT NULL,
    message TEXT NOT NULL, severity TEXT DEFAULT 'medium', is_active BOOLEAN DEFAULT 1, created_at TIMESTAMP,
    resolved_at TIMESTAMP
);
