-- The kept log of one job; its content is gzip. Only the process that owns the database asks for it. $id: text.
SELECT status, size_bytes, is_cut, content, first_error_line
FROM job_logs
WHERE job_id = $id
