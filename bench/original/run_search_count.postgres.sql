SELECT count(*) AS total
FROM (
    SELECT 1
    FROM workflow_runs
    WHERE strpos(lower(commit_message), :words) > 0 OR strpos(lower(author), :words) > 0
        OR strpos(lower(metadata ->> 'actor'), :words) > 0 OR strpos(lower(metadata ->> 'head_branch'), :words) > 0
        OR starts_with(commit_hash, :words) OR CAST(run_number AS TEXT) = :words
    LIMIT :limit
) AS counted
