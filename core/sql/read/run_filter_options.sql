-- What the runs explorer offers to choose from: events, actors and authors of the runs since $since (UTC time), busiest first.
-- $limit of each.
SELECT kind, value, weight
FROM (
    SELECT kind, value, weight, row_number() OVER (PARTITION BY kind ORDER BY weight DESC, value) AS place
    FROM (
        SELECT 'event' AS kind, event AS value, count(*) AS weight FROM workflow_runs WHERE created_at >= $since GROUP BY event
        UNION ALL
        SELECT 'actor' AS kind, actor AS value, count(*) AS weight FROM workflow_runs WHERE created_at >= $since GROUP BY actor
        UNION ALL
        SELECT 'author' AS kind, commit_author AS value, count(*) AS weight FROM workflow_runs WHERE created_at >= $since GROUP BY commit_author
    ) AS counted
    WHERE value IS NOT NULL
) AS placed
WHERE place <= $limit
ORDER BY kind, weight DESC, value
