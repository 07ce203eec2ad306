-- How many alerts are in which state, and how long people and repairs took: one row, under the filters of alert_page.
-- $severity, $type, $provider, $repository, $branch, $pipeline_id: text or NULL. $since: UTC time or NULL; alerts that ended before
-- are left out. median_acknowledge_seconds: from the first failure to the acknowledgement; median_resolve_seconds: to the end.
SELECT
    count(*) FILTER (WHERE a.status = 'active') AS active,
    count(*) FILTER (WHERE a.status = 'acknowledged') AS acknowledged,
    count(*) FILTER (WHERE a.status = 'snoozed') AS snoozed,
    count(*) FILTER (WHERE a.status = 'resolved') AS resolved,
    quantile_cont(greatest(0, epoch(a.acknowledged_at) - epoch(a.created_at)), 0.5) FILTER (WHERE a.acknowledged_at IS NOT NULL) AS median_acknowledge_seconds,
    quantile_cont(greatest(0, epoch(a.resolved_at) - epoch(a.created_at)), 0.5) FILTER (WHERE a.status = 'resolved') AS median_resolve_seconds,
    count(*) FILTER (WHERE a.acknowledged_at IS NOT NULL) AS ever_acknowledged,
    min(a.created_at) FILTER (WHERE a.status = 'active') AS oldest_active_at
FROM alerts AS a
JOIN pipelines AS p ON p.id = a.pipeline_id
WHERE ($severity IS NULL OR a.severity = $severity)
    AND ($type IS NULL OR a.type = $type)
    AND ($provider IS NULL OR p.provider = $provider)
    AND ($repository IS NULL OR p.repository = $repository)
    AND ($branch IS NULL OR a.branch = $branch)
    AND ($pipeline_id IS NULL OR a.pipeline_id = $pipeline_id)
    AND ($since IS NULL OR a.status <> 'resolved' OR a.resolved_at >= $since)
