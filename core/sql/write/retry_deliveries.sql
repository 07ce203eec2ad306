-- Deliveries of the batch that failed before and came again: the new word replaces the old one; answers which those are.
-- Reads incoming_deliveries, which holds each (provider, delivery_id) once.
UPDATE deliveries
SET
    event = again.event,
    action = again.action,
    received_at = again.received_at,
    result = again.result,
    reason = again.reason,
    payload = again.payload
FROM incoming_deliveries AS again
WHERE deliveries.provider = again.provider AND deliveries.delivery_id = again.delivery_id AND deliveries.result = 'failed'
RETURNING deliveries.provider, deliveries.delivery_id;
