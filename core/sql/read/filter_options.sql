-- What the filters offer: each repository with its provider, and each branch that ran since $since (UTC time), busiest first.
-- $limit bounds the branches.
SELECT 'repository' AS kind, provider, repository AS value, NULL AS weight FROM pipelines GROUP BY provider, repository
UNION ALL
SELECT kind, provider, value, weight
FROM (
    SELECT 'branch' AS kind, NULL AS provider, branch AS value, count(*) AS weight
    FROM workflow_runs
    WHERE created_at >= $since AND branch IS NOT NULL
    GROUP BY branch
    ORDER BY weight DESC, value
    LIMIT $limit
)
ORDER BY kind, weight DESC NULLS LAST, value
