-- How fresh the data is, by webhook and by any way, and whether it is simulated: one row.
SELECT
    (SELECT max(received_at) FROM deliveries) AS last_delivery_at,
    (SELECT max(updated_at) FROM workflow_runs) AS last_change_at,
    (SELECT count(*) FROM alert_events) AS alert_changes,
    (SELECT count(*) FROM workflow_runs) AS runs,
    EXISTS (SELECT 1 FROM settings WHERE key = 'simulated' AND value = 'true') AS simulated
