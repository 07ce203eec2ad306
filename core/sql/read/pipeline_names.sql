-- Pipelines as people choose one. $limit: rows.
SELECT id, provider, repository, name
FROM pipelines
ORDER BY repository, name, id
LIMIT $limit
