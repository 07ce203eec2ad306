-- The index on created_at finds what can have been active since :since; nothing runs for more than a day.
SELECT count(*) AS total
FROM workflow_runs
WHERE created_at >= :since_less_a_day AND coalesce(end_time, start_time, created_at) >= :since
