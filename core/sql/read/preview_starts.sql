-- What was known of each pipeline before a preview's history begins. $pipeline_id: text or NULL (all). $since: UTC time.
SELECT
    pipeline_id,
    min(created_at) AS first_run_at,
    max(finished_at) FILTER (WHERE is_latest AND status = 'success' AND finished_at < $since) AS last_success_at
FROM workflow_runs
WHERE $pipeline_id IS NULL OR pipeline_id = $pipeline_id
GROUP BY pipeline_id
ORDER BY pipeline_id
