-- Silences: what must not send messages between two moments. A matcher that is NULL matches anything.
CREATE TABLE silences (
    id VARCHAR PRIMARY KEY,
    starts_at TIMESTAMPTZ NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL,
    pipeline_id VARCHAR,
    repository VARCHAR,
    branch VARCHAR,
    type VARCHAR,
    reason VARCHAR NOT NULL,
    created_by VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
