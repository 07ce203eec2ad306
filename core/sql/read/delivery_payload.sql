-- One delivery as it was received. $delivery_id: text. The same id from two providers gives two rows.
SELECT provider, delivery_id, event, received_at, payload FROM deliveries WHERE delivery_id = $delivery_id ORDER BY provider
