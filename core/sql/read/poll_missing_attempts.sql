-- Earlier attempts that must exist, because a later one does, but are not stored, newest run first.
-- $provider, $repository_id: text. $limit rows.
WITH rerun AS (
    SELECT r.run_key, r.run_id, r.run_attempt, r.created_at
    FROM workflow_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE p.provider = $provider AND p.repository_id = $repository_id AND r.is_latest AND r.run_attempt > 1
),
wanted AS (
    SELECT run_key, run_id, created_at, unnest(generate_series(1, run_attempt - 1)) AS run_attempt
    FROM rerun
)
SELECT w.run_key || '-' || w.run_attempt AS id, w.run_id, w.run_attempt
FROM wanted AS w
WHERE NOT EXISTS (SELECT 1 FROM workflow_runs AS r WHERE r.id = w.run_key || '-' || w.run_attempt)
    AND NOT EXISTS (SELECT 1 FROM poll_attempts AS a WHERE a.attempt_id = w.run_key || '-' || w.run_attempt)
ORDER BY w.created_at DESC, id
LIMIT $limit
