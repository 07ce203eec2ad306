-- Deliveries without their payloads, newest first. $result: text or NULL (any). $limit rows.
SELECT provider, delivery_id, event, action, received_at, result, reason
FROM deliveries
WHERE ($result IS NULL OR result = $result)
ORDER BY received_at DESC, delivery_id
LIMIT $limit
