-- How fresh the data is, and whether it is simulated: one row.
SELECT
    (SELECT max(received_at) FROM deliveries) AS last_delivery_at,
    (SELECT count(*) FROM workflow_runs) AS runs,
    EXISTS (SELECT 1 FROM settings WHERE key = 'simulated' AND value = 'true') AS simulated
