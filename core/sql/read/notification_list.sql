-- Messages about alerts without their contents, newest first. $status, $channel, $alert_id: text or NULL (any). $limit rows after $offset.
SELECT
    n.id, n.alert_id, n.channel, n.kind, n.status, n.attempts, n.created_at, n.next_attempt_at, n.sent_at, n.error,
    a.message, n.repository
FROM notifications AS n
LEFT JOIN alerts AS a ON a.id = n.alert_id
WHERE ($status IS NULL OR n.status = $status)
    AND ($channel IS NULL OR n.channel = $channel)
    AND ($alert_id IS NULL OR n.alert_id = $alert_id)
ORDER BY n.created_at DESC, n.id
LIMIT $limit OFFSET $offset
