-- How many runs match parts/run_filter, whose parameters it has, counted up to $limit.
SELECT count(*) AS total
FROM (
    SELECT r.id
    FROM all_runs AS r
    JOIN pipelines AS p ON p.id = r.pipeline_id
    WHERE
        -- include run_filter
    LIMIT $limit
) AS counted
