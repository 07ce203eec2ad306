-- As freshness.sql of DuckDB, which counts a million rows in a millisecond; here that took 50 to 300 ms, for each look at a page.
-- runs: exact up to 10,000; beyond, what the server keeps count of, at most about a second late.
SELECT
    (SELECT max(received_at) FROM deliveries) AS last_delivery_at,
    (SELECT max(updated_at) FROM workflow_runs) AS last_change_at,
    (SELECT count(*) FROM alert_events) AS alert_changes,
    (
        SELECT CASE WHEN count(*) < 10000 THEN count(*) ELSE greatest(count(*), pg_stat_get_live_tuples(CAST('workflow_runs' AS REGCLASS))) END
        FROM (SELECT 1 FROM workflow_runs LIMIT 10000) AS some_runs
    ) AS runs,
    EXISTS (SELECT 1 FROM settings WHERE key = 'simulated' AND value = 'true') AS simulated
