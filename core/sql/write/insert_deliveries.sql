-- Deliveries of the batch that were never seen; answers which those are.
-- Reads incoming_deliveries, which holds each (provider, delivery_id) once.
INSERT INTO deliveries
SELECT provider, delivery_id, event, action, received_at, result, reason, payload
FROM incoming_deliveries
ON CONFLICT (provider, delivery_id) DO NOTHING
RETURNING provider, delivery_id;
