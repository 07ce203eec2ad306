-- How long jobs waited for a runner, by the weekday and hour of the viewer at which they were created.
-- $provider, $repository, $branch: text or NULL (any). $since, $until: UTC times that bound the creation. $zone: IANA time zone.
-- weekday: 1 (Monday) to 7; hour: 0 to 23; seconds: median, 95th percentile and mean.
SELECT
    CAST(extract(isodow FROM j.created_at AT TIME ZONE $zone) AS INTEGER) AS weekday,
    CAST(extract(hour FROM j.created_at AT TIME ZONE $zone) AS INTEGER) AS hour,
    count(*) AS jobs,
    quantile_cont(j.queue_seconds, 0.5) AS p50_seconds,
    quantile_cont(j.queue_seconds, 0.95) AS p95_seconds,
    avg(j.queue_seconds) AS mean_seconds
FROM jobs AS j
JOIN workflow_runs AS r ON r.id = j.attempt_id
JOIN pipelines AS p ON p.id = r.pipeline_id
WHERE j.created_at >= $since AND j.created_at < $until AND j.queue_seconds IS NOT NULL AND j.status <> 'skipped'
    AND (r.run_attempt = 1 OR r.started_at IS NULL OR j.started_at >= r.started_at)
    AND ($provider IS NULL OR p.provider = $provider)
    AND ($repository IS NULL OR p.repository = $repository)
    AND ($branch IS NULL OR r.branch = $branch)
GROUP BY weekday, hour
ORDER BY weekday, hour
