-- Alerts that wait for a person, by severity: one row. $provider, $repository, $branch: text or NULL (any).
SELECT
    count(*) FILTER (WHERE severity = 'critical') AS critical,
    count(*) FILTER (WHERE severity = 'warning') AS warning,
    count(*) FILTER (WHERE severity = 'info') AS info
FROM open_alerts
WHERE status = 'active'
    AND ($provider IS NULL OR provider = $provider)
    AND ($repository IS NULL OR repository = $repository)
    AND ($branch IS NULL OR branch = $branch)
