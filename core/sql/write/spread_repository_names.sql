-- A repository's name and default branch are one fact for all its pipelines: the newest word reaches each of them.
-- Reads incoming_pipelines to know which repositories the batch touched.
UPDATE pipelines
SET
    repository = newest.repository,
    repository_url = newest.repository_url,
    default_branch = newest.default_branch,
    repository_version = newest.repository_version
FROM (
    SELECT provider, repository_id, repository, repository_url, default_branch, repository_version
    FROM pipelines
    WHERE (provider, repository_id) IN (SELECT (provider, repository_id) FROM incoming_pipelines)
    QUALIFY row_number() OVER (PARTITION BY provider, repository_id ORDER BY repository_version DESC) = 1
) AS newest
WHERE pipelines.provider = newest.provider
    AND pipelines.repository_id = newest.repository_id
    AND (pipelines.repository, pipelines.repository_url, pipelines.default_branch)
        IS DISTINCT FROM (newest.repository, newest.repository_url, newest.default_branch);
