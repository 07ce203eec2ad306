-- The CI systems that ingest knows, as it described them when it was started: how pages name each and set it up.
-- settings and polling_settings are names of variables, separated by commas; steps and polling_steps are Markdown.
CREATE TABLE providers (
    provider VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    icon VARCHAR NOT NULL,
    place INTEGER NOT NULL,
    settings VARCHAR NOT NULL,
    steps VARCHAR NOT NULL,
    polling_settings VARCHAR,
    polling_steps VARCHAR,
    is_secured BOOLEAN NOT NULL,
    is_polled BOOLEAN NOT NULL
);
