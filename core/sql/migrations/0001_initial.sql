-- The tables and the stable views of the contract. Times are UTC, durations whole seconds.

CREATE TABLE pipelines (
    id VARCHAR PRIMARY KEY,
    provider VARCHAR NOT NULL,
    repository_id VARCHAR NOT NULL,
    repository VARCHAR NOT NULL,
    repository_url VARCHAR,
    workflow_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    path VARCHAR,
    default_branch VARCHAR,
    version VARCHAR NOT NULL,
    repository_version VARCHAR NOT NULL
);

CREATE TABLE workflow_runs (
    id VARCHAR PRIMARY KEY,
    run_key VARCHAR NOT NULL,
    pipeline_id VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    run_attempt INTEGER NOT NULL,
    run_number BIGINT,
    is_latest BOOLEAN NOT NULL,
    status VARCHAR NOT NULL,
    conclusion VARCHAR,
    event VARCHAR,
    title VARCHAR,
    branch VARCHAR,
    base_branch VARCHAR,
    head_sha VARCHAR,
    head_repository VARCHAR,
    is_fork BOOLEAN NOT NULL,
    commit_message VARCHAR,
    commit_author VARCHAR,
    actor VARCHAR,
    url VARCHAR,
    created_at TIMESTAMPTZ NOT NULL,
    started_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    updated_at TIMESTAMPTZ NOT NULL,
    duration_seconds BIGINT,
    version VARCHAR NOT NULL
);

CREATE TABLE jobs (
    id VARCHAR PRIMARY KEY,
    attempt_id VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    job_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    conclusion VARCHAR,
    runner_name VARCHAR,
    labels VARCHAR,
    url VARCHAR,
    created_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    duration_seconds BIGINT,
    queue_seconds BIGINT,
    version VARCHAR NOT NULL
);

CREATE TABLE steps (
    job_id VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    conclusion VARCHAR,
    started_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    duration_seconds BIGINT,
    version VARCHAR NOT NULL,
    PRIMARY KEY (job_id, number)
);

CREATE TABLE alerts (
    id VARCHAR PRIMARY KEY,
    type VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    pipeline_id VARCHAR NOT NULL,
    branch VARCHAR,
    attempt_id VARCHAR,
    message VARCHAR NOT NULL,
    dedup_key VARCHAR NOT NULL,
    occurrences INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL,
    acknowledged_at TIMESTAMPTZ,
    acknowledged_by VARCHAR,
    note VARCHAR,
    snoozed_until TIMESTAMPTZ,
    resolved_at TIMESTAMPTZ,
    resolved_by VARCHAR,
    resolved_attempt_id VARCHAR
);

CREATE TABLE alert_events (
    alert_id VARCHAR NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL,
    kind VARCHAR NOT NULL,
    actor VARCHAR,
    note VARCHAR,
    attempt_id VARCHAR
);

CREATE TABLE notifications (
    id VARCHAR PRIMARY KEY,
    alert_id VARCHAR,
    channel VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    payload VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    attempts INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    next_attempt_at TIMESTAMPTZ,
    sent_at TIMESTAMPTZ,
    error VARCHAR
);

CREATE TABLE deliveries (
    provider VARCHAR NOT NULL,
    delivery_id VARCHAR NOT NULL,
    event VARCHAR NOT NULL,
    action VARCHAR,
    received_at TIMESTAMPTZ NOT NULL,
    result VARCHAR NOT NULL,
    reason VARCHAR,
    payload VARCHAR NOT NULL,
    PRIMARY KEY (provider, delivery_id)
);

CREATE TABLE poll_state (
    provider VARCHAR NOT NULL,
    repository VARCHAR NOT NULL,
    etag VARCHAR,
    cursor VARCHAR,
    last_poll_at TIMESTAMPTZ,
    last_error VARCHAR,
    PRIMARY KEY (provider, repository)
);

CREATE TABLE settings (
    key VARCHAR PRIMARY KEY,
    value VARCHAR NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    updated_by VARCHAR
);

CREATE VIEW attempts AS
SELECT
    r.id, r.run_key, r.pipeline_id, r.provider, p.repository, p.repository_url, p.name AS pipeline, p.default_branch,
    r.run_id, r.run_attempt, r.run_number, r.is_latest, r.status, r.conclusion, r.event, r.title,
    r.branch, r.base_branch, r.branch = p.default_branch AND NOT r.is_fork AS on_default_branch,
    r.head_sha, r.head_repository, r.is_fork, r.commit_message, r.commit_author, r.actor, r.url,
    r.created_at, r.started_at, r.finished_at, r.updated_at, r.duration_seconds,
    coalesce(r.started_at, r.created_at) AS begun_at, coalesce(r.finished_at, r.started_at, r.created_at) AS last_activity_at
FROM workflow_runs AS r
JOIN pipelines AS p ON p.id = r.pipeline_id;

CREATE VIEW runs AS
SELECT * FROM attempts WHERE is_latest;

CREATE VIEW job_runs AS
SELECT
    j.id, j.attempt_id, a.run_key, a.pipeline_id, j.provider, a.repository, a.pipeline, a.branch, a.head_sha,
    a.run_id, a.run_attempt, j.job_id, j.name, j.status, j.conclusion, j.runner_name, j.labels, j.url,
    j.created_at, j.started_at, j.finished_at, j.duration_seconds, j.queue_seconds
FROM jobs AS j
JOIN attempts AS a ON a.id = j.attempt_id;

CREATE VIEW open_alerts AS
SELECT
    a.id, a.type, a.severity, a.status, a.pipeline_id, p.provider, p.repository, p.name AS pipeline, a.branch,
    a.attempt_id, a.message, a.occurrences, a.created_at, a.last_seen_at, a.acknowledged_at, a.acknowledged_by,
    a.note, a.snoozed_until
FROM alerts AS a
JOIN pipelines AS p ON p.id = a.pipeline_id
WHERE a.status <> 'resolved';

CREATE VIEW daily_pipeline_stats AS
SELECT
    CAST(finished_at AT TIME ZONE 'UTC' AS DATE) AS day,
    pipeline_id, provider, repository, pipeline,
    count(*) AS runs,
    count(*) FILTER (WHERE status = 'success') AS success,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
    avg(duration_seconds) FILTER (WHERE status IN ('success', 'failed')) AS avg_duration_seconds
FROM runs
WHERE finished_at IS NOT NULL
GROUP BY ALL;
