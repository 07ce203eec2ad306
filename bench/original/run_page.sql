-- The newest by the index on created_at; of those the newest by start. Nothing waits while a hundred others arrive.
SELECT r.run_id, r.status, r.commit_hash AS head_sha, r.author AS commit_author, r.duration AS duration_seconds, p.repository, p.name AS pipeline
FROM (SELECT * FROM workflow_runs WHERE created_at >= :since_less_a_day ORDER BY created_at DESC LIMIT 120) AS r
JOIN pipelines AS p ON p.id = r.pipeline_id
WHERE coalesce(r.end_time, r.start_time, r.created_at) >= :since
ORDER BY coalesce(r.start_time, r.created_at) DESC, r.run_id DESC
LIMIT :limit
