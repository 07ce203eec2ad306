WITH chosen AS MATERIALIZED (
    SELECT author, status, duration, coalesce(end_time, start_time, created_at) AS last_at
    FROM workflow_runs
    WHERE created_at >= :since_less_a_day AND coalesce(end_time, start_time, created_at) >= :since
),
ranked AS (
    SELECT
        author, duration, row_number() OVER (PARTITION BY author ORDER BY duration) - 1 AS place,
        count(*) OVER (PARTITION BY author) AS n
    FROM chosen
    WHERE status IN ('success', 'failed')
),
-- The two neighbours of a quantile, weighted by how near they are.
quantiles AS (
    SELECT
        author,
        sum(duration * max(0.0, 1 - abs(place - 0.5 * (n - 1)))) AS p50_seconds,
        sum(duration * max(0.0, 1 - abs(place - 0.95 * (n - 1)))) AS p95_seconds
    FROM ranked
    GROUP BY author
)
SELECT
    c.author AS name, count(*) AS runs,
    count(*) FILTER (WHERE status = 'success') AS success,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status IN ('cancelled', 'skipped')) AS cancelled,
    max(q.p50_seconds) AS p50_seconds, max(q.p95_seconds) AS p95_seconds,
    sum(duration) AS total_seconds, max(last_at) AS last_at
FROM chosen AS c
LEFT JOIN quantiles AS q ON q.author = c.author
GROUP BY c.author
