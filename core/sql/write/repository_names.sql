-- What all pipelines of each repository of the batch say of it, after spread_repository_names.
-- Reads incoming_pipelines.
SELECT DISTINCT provider, repository_id, repository, repository_url, default_branch
FROM pipelines
WHERE (provider, repository_id) IN (SELECT (provider, repository_id) FROM incoming_pipelines);
