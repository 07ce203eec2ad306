-- Where the durations of a pipeline (job '') or job changed, as last found. attempt_id, head_sha, changed_at: the first run
-- after the change; before_attempt_id, before_sha: the last one before it. Seconds are medians; ratio is after ÷ before.
CREATE TABLE duration_changes (
    pipeline_id VARCHAR NOT NULL,
    job VARCHAR NOT NULL,
    attempt_id VARCHAR NOT NULL,
    head_sha VARCHAR,
    changed_at TIMESTAMPTZ NOT NULL,
    before_attempt_id VARCHAR NOT NULL,
    before_sha VARCHAR,
    before_seconds DOUBLE NOT NULL,
    after_seconds DOUBLE NOT NULL,
    ratio DOUBLE NOT NULL,
    ratio_low DOUBLE NOT NULL,
    ratio_high DOUBLE NOT NULL,
    p_value DOUBLE NOT NULL,
    runs_before INTEGER NOT NULL,
    runs_after INTEGER NOT NULL,
    is_newest BOOLEAN NOT NULL,
    on_default BOOLEAN NOT NULL,
    found_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (pipeline_id, job, attempt_id)
);
