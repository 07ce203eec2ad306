-- LIKE of SQLite knows no difference of small and capital letters.
SELECT count(*) AS total
FROM (
    SELECT 1
    FROM workflow_runs
    WHERE commit_message LIKE '%' || :words || '%' OR author LIKE '%' || :words || '%'
        OR metadata LIKE '%' || :words || '%' OR commit_hash LIKE :words || '%' OR CAST(run_number AS TEXT) = :words
    LIMIT :limit
)
