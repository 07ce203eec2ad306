-- Every pipeline by name, for filters. One row each.
SELECT id, provider, repository, name AS pipeline FROM pipelines ORDER BY repository, name, id
