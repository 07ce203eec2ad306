-- The runs of parts/run_filter, whose parameters it has, in groups; the largest group first, $limit of them at most.
-- $group_by: 'pipeline', 'repository', 'branch', 'author', 'event', 'status' or 'day' (of $zone, an IANA time zone; by the last
-- activity). name is what the group shows, pipeline_id is given for pipelines only. Rates are fractions of 1, durations seconds.
WITH chosen AS (
    SELECT
        r.status, r.duration_seconds, coalesce(r.finished_at, r.started_at, r.created_at) AS last_at,
        CASE WHEN $group_by = 'pipeline' THEN r.pipeline_id END AS pipeline_id,
        CASE
            WHEN $group_by = 'pipeline' THEN p.repository || ' · ' || p.name
            WHEN $group_by = 'repository' THEN p.repository
            WHEN $group_by = 'branch' THEN r.branch
            WHEN $group_by = 'author' THEN r.commit_author
            WHEN $group_by = 'event' THEN r.event
            WHEN $group_by = 'status' THEN r.status
            ELSE CAST(CAST(coalesce(r.finished_at, r.started_at, r.created_at) AT TIME ZONE $zone AS DATE) AS VARCHAR)
        END AS name
    FROM all_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE
        -- include run_filter
)
SELECT
    pipeline_id, name,
    count(*) AS runs,
    count(*) FILTER (WHERE status = 'success') AS success,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status IN ('cancelled', 'skipped')) AS cancelled,
    count(*) FILTER (WHERE status = 'success') / nullif(count(*) FILTER (WHERE status IN ('success', 'failed')), 0) AS success_rate,
    quantile_cont(duration_seconds, 0.5) FILTER (WHERE status IN ('success', 'failed')) AS p50_seconds,
    quantile_cont(duration_seconds, 0.95) FILTER (WHERE status IN ('success', 'failed')) AS p95_seconds,
    CAST(sum(duration_seconds) AS BIGINT) AS total_seconds,
    max(last_at) AS last_at
FROM chosen
GROUP BY pipeline_id, name
ORDER BY CASE WHEN $group_by = 'day' THEN name END DESC, runs DESC, name
LIMIT $limit
