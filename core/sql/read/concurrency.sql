-- How many jobs ran at the same time: for each hour (UTC) in which a job began or ended, the most at once and the number
-- at its last event. $provider, $repository, $branch: text or NULL (any). $since, $until: UTC times.
-- Where one job ends in the moment in which another begins, they don't overlap.
WITH spans AS (
    SELECT greatest(j.started_at, $since) AS begin_at, least(coalesce(j.finished_at, $until), $until) AS end_at
    FROM jobs AS j
    JOIN workflow_runs AS r ON r.id = j.attempt_id
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE j.started_at < $until AND (j.finished_at > $since OR (j.finished_at IS NULL AND j.status = 'running'))
        AND (r.run_attempt = 1 OR r.started_at IS NULL OR j.started_at >= r.started_at)
        AND ($provider IS NULL OR p.provider = $provider)
        AND ($repository IS NULL OR p.repository = $repository)
        AND ($branch IS NULL OR r.branch = $branch)
),
events AS (
    SELECT begin_at AS at, 1 AS step FROM spans WHERE end_at > begin_at
    UNION ALL
    SELECT end_at AS at, -1 AS step FROM spans WHERE end_at > begin_at
),
moments AS (
    SELECT at, step, count(*) AS times FROM events GROUP BY at, step
),
levels AS (
    SELECT at, step, date_trunc('hour', at) AS hour, sum(step * times) OVER (ORDER BY at, step ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS running
    FROM moments
),
placed AS (
    SELECT hour, running, row_number() OVER (PARTITION BY hour ORDER BY at DESC, step DESC) AS place
    FROM levels
)
SELECT hour, CAST(max(running) AS BIGINT) AS peak, CAST(max(running) FILTER (WHERE place = 1) AS BIGINT) AS closing
FROM placed
GROUP BY hour
ORDER BY hour
