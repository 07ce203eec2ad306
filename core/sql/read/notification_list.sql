-- Messages about alerts without their contents, newest first. $status: text or NULL (any). $limit rows.
SELECT id, alert_id, channel, kind, status, attempts, created_at, next_attempt_at, sent_at, error
FROM notifications
WHERE ($status IS NULL OR status = $status)
ORDER BY created_at DESC, id
LIMIT $limit
