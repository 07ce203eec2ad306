-- Of each run touched by the batch, the highest attempt is the latest one.
-- Reads incoming_runs.
UPDATE workflow_runs
SET is_latest = NOT is_latest
FROM (
    SELECT run_key, max(run_attempt) AS last_attempt
    FROM workflow_runs
    WHERE run_key IN (SELECT run_key FROM incoming_runs)
    GROUP BY run_key
    HAVING count(*) > 1
) AS newest
WHERE workflow_runs.run_key = newest.run_key
    AND workflow_runs.is_latest <> (workflow_runs.run_attempt = newest.last_attempt);
