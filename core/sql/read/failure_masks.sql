-- The different telling lines of failed jobs, without what differs from run to run; the smallest stands for all of a kind.
-- $limit rows, the most frequent first.
SELECT mask_id, min(masked) AS masked, min(line) AS line, count(*) AS jobs
FROM failure_lines
GROUP BY mask_id
ORDER BY count(*) DESC, mask_id
LIMIT $limit
