-- Machine time by pipeline, job and runner labels, the most first, over jobs that ended in the window however they ended.
-- $provider, $repository, $branch: text or NULL (any). $since, $until: UTC times that bound the job's end. $limit rows.
-- Seconds are as measured; *_minutes are started minutes, each job rounded up by itself, as GitHub bills them.
-- rerun_*: of attempts after the first. failed_*: of failed jobs. Jobs that a re-run only carried over are left out.
SELECT
    p.provider, p.repository, r.pipeline_id, max(p.name) AS pipeline, j.name AS job, coalesce(j.labels, '') AS labels,
    count(*) AS jobs,
    CAST(sum(j.duration_seconds) AS BIGINT) AS seconds,
    CAST(sum(ceil(j.duration_seconds / 60)) AS BIGINT) AS minutes,
    CAST(coalesce(sum(j.duration_seconds) FILTER (WHERE j.status = 'failed'), 0) AS BIGINT) AS failed_seconds,
    CAST(coalesce(sum(ceil(j.duration_seconds / 60)) FILTER (WHERE j.status = 'failed'), 0) AS BIGINT) AS failed_minutes,
    CAST(coalesce(sum(j.duration_seconds) FILTER (WHERE r.run_attempt > 1), 0) AS BIGINT) AS rerun_seconds,
    CAST(coalesce(sum(ceil(j.duration_seconds / 60)) FILTER (WHERE r.run_attempt > 1), 0) AS BIGINT) AS rerun_minutes
FROM jobs AS j
JOIN workflow_runs AS r ON r.id = j.attempt_id
JOIN pipelines AS p ON p.id = r.pipeline_id
WHERE j.finished_at >= $since AND j.finished_at < $until AND j.duration_seconds > 0
    AND (r.run_attempt = 1 OR r.started_at IS NULL OR j.started_at IS NULL OR j.started_at >= r.started_at)
    AND ($provider IS NULL OR p.provider = $provider)
    AND ($repository IS NULL OR p.repository = $repository)
    AND ($branch IS NULL OR r.branch = $branch)
GROUP BY p.provider, p.repository, r.pipeline_id, j.name, coalesce(j.labels, '')
ORDER BY seconds DESC, r.pipeline_id, j.name, coalesce(j.labels, '')
LIMIT $limit
