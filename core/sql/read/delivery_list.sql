-- Deliveries without their payloads, newest first. $result, $provider: text or NULL (any). $limit rows from $offset on.
SELECT provider, delivery_id, event, action, received_at, result, reason
FROM deliveries
WHERE ($result IS NULL OR result = $result)
    AND ($provider IS NULL OR provider = $provider)
ORDER BY received_at DESC, delivery_id
LIMIT $limit OFFSET $offset
