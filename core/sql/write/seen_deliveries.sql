-- Which deliveries of the batch were kept before and need no second look (a failed one does).
-- Reads incoming_keys (provider, delivery_id).
SELECT d.provider, d.delivery_id
FROM deliveries AS d
JOIN incoming_keys USING (provider, delivery_id)
WHERE d.result <> 'failed';
