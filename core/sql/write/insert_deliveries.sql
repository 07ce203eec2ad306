-- Deliveries of the batch. One that failed before may be delivered again and is then replaced.
-- Reads incoming_deliveries, which holds each (provider, delivery_id) once.
INSERT INTO deliveries
SELECT provider, delivery_id, event, action, received_at, result, reason, payload
FROM incoming_deliveries
ON CONFLICT (provider, delivery_id) DO UPDATE SET
    event = excluded.event,
    action = excluded.action,
    received_at = excluded.received_at,
    result = excluded.result,
    reason = excluded.reason,
    payload = excluded.payload;
