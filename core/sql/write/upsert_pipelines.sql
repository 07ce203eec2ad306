-- Pipelines of the batch: the newest word about each wins.
-- Reads incoming_pipelines, which holds each key once.
INSERT INTO pipelines
SELECT
    id, provider, repository_id, repository, repository_url, workflow_id, name, path, default_branch,
    version, version AS repository_version
FROM incoming_pipelines
ON CONFLICT (id) DO UPDATE SET
    name = CASE WHEN excluded.version > version THEN excluded.name ELSE name END,
    path = CASE WHEN excluded.version > version THEN excluded.path ELSE path END,
    repository = CASE WHEN excluded.repository_version > repository_version THEN excluded.repository ELSE repository END,
    repository_url = CASE WHEN excluded.repository_version > repository_version THEN excluded.repository_url ELSE repository_url END,
    default_branch = CASE WHEN excluded.repository_version > repository_version THEN excluded.default_branch ELSE default_branch END,
    version = greatest(excluded.version, version),
    repository_version = greatest(excluded.repository_version, repository_version);
