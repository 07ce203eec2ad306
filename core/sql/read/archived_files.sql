-- Files that old runs were moved to, by month; row_count: rows of their kind (workflow_runs, jobs or steps).
SELECT path, kind, month, row_count
FROM archived_files
ORDER BY month, path
