-- Our rows as that schema holds them: the newest attempt of each run, its branch in the metadata (a fork's with the fork's
-- name before it, as GitHub labels it). Read in DuckDB, one statement a table, in the order of the tables' columns.
SELECT
    i AS id, name, repository, 'acme' AS owner, default_branch AS branch, path AS workflow_file, 'github_actions' AS provider,
    'unknown' AS status, NULL AS last_run_number, NULL AS last_run_url, last_run_time, NULL AS created_at, NULL AS updated_at
FROM (
    SELECT p.*, CAST(p.workflow_id AS BIGINT) + 1 AS i, CAST(r.last_run_time AS TIMESTAMP) AS last_run_time
    FROM pipelines AS p
    JOIN (SELECT pipeline_id, max(begun_at) AS last_run_time FROM workflow_runs WHERE is_latest GROUP BY pipeline_id) AS r ON r.pipeline_id = p.id
)
ORDER BY id;
SELECT
    CAST(r.run_id AS BIGINT) - 8999999999 AS id, CAST(p.workflow_id AS BIGINT) + 1 AS pipeline_id, r.run_number, r.run_id,
    r.status, r.conclusion, CAST(r.started_at AS TIMESTAMP) AS start_time, CAST(r.finished_at AS TIMESTAMP) AS end_time,
    r.duration_seconds AS duration, r.head_sha AS commit_hash, r.commit_message, r.commit_author AS author, r.url AS run_url,
    p.name AS workflow_name, r.event AS "trigger",
    format('{{"actor": "{}", "head_branch": "{}{}", "base_branch": null}}', r.actor, CASE WHEN r.is_fork THEN 'fork:' ELSE '' END, r.branch) AS metadata,
    CAST(r.created_at AS TIMESTAMP) AS created_at
FROM workflow_runs AS r
JOIN pipelines AS p ON p.id = r.pipeline_id
WHERE r.is_latest
ORDER BY r.created_at;
SELECT
    row_number() OVER (ORDER BY a.id) AS id, CAST(p.workflow_id AS BIGINT) + 1 AS pipeline_id, a.type, a.message, a.severity,
    a.status = 'active' AS is_active, CAST(a.created_at AS TIMESTAMP) AS created_at, NULL AS resolved_at
FROM alerts AS a
JOIN pipelines AS p ON p.id = a.pipeline_id;
