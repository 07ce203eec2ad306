-- Where durations changed since $since (UTC time), the most time lost a week first. $provider, $repository: text or NULL (any).
-- $slower: TRUE, FALSE, or NULL (any). $limit rows. Seconds; ratio is after ÷ before, with its 95 % interval.
-- is_newest: it is the last change of its series, so it is still in force. $week_ago: UTC time.
-- week_seconds: (after - before) x successful runs of its pipeline since $week_ago.
WITH recent AS (
    SELECT r.pipeline_id, count(*) AS week_runs
    FROM workflow_runs AS r
    WHERE r.finished_at >= $week_ago AND r.status = 'success'
    GROUP BY r.pipeline_id
)
SELECT
    p.provider, p.repository, d.pipeline_id, p.name AS pipeline, d.job, d.attempt_id, d.head_sha, r.commit_message, r.commit_author, d.changed_at,
    d.before_attempt_id, d.before_sha, d.before_seconds, d.after_seconds, d.ratio, d.ratio_low, d.ratio_high, d.p_value,
    d.runs_before, d.runs_after, d.is_newest, d.on_default, d.found_at,
    coalesce(w.week_runs, 0) AS week_runs,
    (d.after_seconds - d.before_seconds) * coalesce(w.week_runs, 0) AS week_seconds
FROM duration_changes AS d
JOIN pipelines AS p ON p.id = d.pipeline_id
LEFT JOIN workflow_runs AS r ON r.id = d.attempt_id
LEFT JOIN recent AS w ON w.pipeline_id = d.pipeline_id
WHERE d.changed_at >= $since
    AND ($slower IS NULL OR (d.ratio > 1) = $slower)
    AND ($provider IS NULL OR p.provider = $provider)
    AND ($repository IS NULL OR p.repository = $repository)
ORDER BY d.is_newest DESC, week_seconds DESC, d.pipeline_id, d.job, d.attempt_id
LIMIT $limit
