-- Excerpts of logs whose telling line wasn't picked yet, or by older rules, or before the excerpt was made anew.
-- $rules: number of the rules in force. $limit rows.
SELECT l.job_id, l.excerpt
FROM job_logs AS l
LEFT JOIN failure_lines AS f ON f.job_id = l.job_id
WHERE l.excerpt IS NOT NULL AND (f.job_id IS NULL OR f.version < $rules OR f.read_at < l.fetched_at)
ORDER BY l.job_id
LIMIT $limit
