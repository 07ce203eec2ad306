-- The newest $limit finished runs (success or failed, latest attempts) of a pipeline since $chart_start (UTC time): one point each.
-- $id: the pipeline's id. $branch: text or NULL (any). Durations in seconds.
SELECT run_key AS id, run_number, status, branch, finished_at, duration_seconds
FROM runs
WHERE pipeline_id = $id AND finished_at >= $chart_start AND status IN ('success', 'failed') AND ($branch IS NULL OR branch = $branch)
ORDER BY finished_at DESC, run_key DESC
LIMIT $limit
