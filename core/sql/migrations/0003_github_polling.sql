-- Polling: what is known of each repository, what its lists last looked like, which attempts were read whole; and job logs.

DROP TABLE poll_state;

-- One row for each repository that is polled. backfill_since is how far back its history is wanted, backfill_reached how
-- far back it has been read without a gap, so that a backfill goes on where it was killed.
CREATE TABLE poll_state (
    provider VARCHAR NOT NULL,
    repository VARCHAR NOT NULL,
    repository_id VARCHAR,
    cursor VARCHAR,
    first_poll_at TIMESTAMPTZ,
    last_poll_at TIMESTAMPTZ,
    last_success_at TIMESTAMPTZ,
    last_change_at TIMESTAMPTZ,
    last_recheck_at TIMESTAMPTZ,
    last_error VARCHAR,
    background_error VARCHAR,
    rows_added BIGINT NOT NULL DEFAULT 0,
    gaps_closed BIGINT NOT NULL DEFAULT 0,
    requests BIGINT NOT NULL DEFAULT 0,
    points BIGINT NOT NULL DEFAULT 0,
    backfill_since TIMESTAMPTZ,
    backfill_reached TIMESTAMPTZ,
    PRIMARY KEY (provider, repository)
);

-- What the CI system called the state of a list when it was last read and stored (ETag): asking again costs nothing.
CREATE TABLE poll_etags (
    provider VARCHAR NOT NULL,
    repository VARCHAR NOT NULL,
    url VARCHAR NOT NULL,
    etag VARCHAR NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (provider, repository, url)
);

-- Finished attempts whose jobs were read whole ('read'), and attempts that the CI system no longer knows ('gone').
CREATE TABLE poll_attempts (
    attempt_id VARCHAR PRIMARY KEY,
    result VARCHAR NOT NULL,
    read_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE rate_limit_samples (
    sampled_at TIMESTAMPTZ NOT NULL,
    provider VARCHAR NOT NULL,
    remaining BIGINT NOT NULL,
    allowed BIGINT NOT NULL,
    used BIGINT NOT NULL,
    reset_at TIMESTAMPTZ
);

-- The log of a job as kept: content is gzip of the text, its middle cut out where it was too long.
CREATE TABLE job_logs (
    job_id VARCHAR PRIMARY KEY,
    attempt_id VARCHAR NOT NULL,
    fetched_at TIMESTAMPTZ NOT NULL,
    status VARCHAR NOT NULL,
    size_bytes BIGINT NOT NULL,
    is_cut BOOLEAN NOT NULL,
    content BLOB,
    excerpt VARCHAR,
    first_error_line INTEGER
);
