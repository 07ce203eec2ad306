-- Pipelines that finished a run since $since (UTC time), with their newest finish.
SELECT pipeline_id, max(finished_at) AS newest_at
FROM workflow_runs
WHERE finished_at >= $since
GROUP BY pipeline_id
ORDER BY pipeline_id
