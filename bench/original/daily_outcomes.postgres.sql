SELECT
    CAST(coalesce(r.end_time, r.start_time, r.created_at) AS DATE) AS day,
    count(*) FILTER (WHERE r.status = 'success') AS success,
    count(*) FILTER (WHERE r.status = 'failed') AS failed,
    count(*) FILTER (WHERE r.status IN ('running', 'queued', 'blocked')) AS running,
    count(*) FILTER (WHERE r.status IN ('cancelled', 'skipped')) AS cancelled,
    count(DISTINCT r.pipeline_id) AS pipelines,
    count(DISTINCT CASE WHEN r.status = 'failed' AND r.metadata ->> 'head_branch' = p.branch THEN r.pipeline_id END) AS failed_pipelines,
    avg(CASE WHEN r.status IN ('success', 'failed') THEN r.duration END) AS avg_build_time
FROM workflow_runs AS r
JOIN pipelines AS p ON p.id = r.pipeline_id
WHERE r.created_at >= :chart_start_less_a_day AND coalesce(r.end_time, r.start_time, r.created_at) >= :chart_start
GROUP BY 1
ORDER BY 1
