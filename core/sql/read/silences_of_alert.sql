-- Silences in force that match one alert, their ids. $alert_id: text. $now: UTC time.
-- One that repeats is in force for as long as its first time, every 24 hours or 7 days after it.
SELECT s.id
FROM silences AS s
JOIN alerts AS a ON a.id = $alert_id
JOIN pipelines AS p ON p.id = a.pipeline_id
WHERE s.starts_at <= $now
    AND (s.pipeline_id IS NULL OR s.pipeline_id = a.pipeline_id)
    AND (s.repository IS NULL OR s.repository = p.repository)
    AND (s.branch IS NULL OR s.branch = a.branch)
    AND (s.type IS NULL OR s.type = a.type)
    AND CASE s.repeats
        WHEN 'daily' THEN (epoch($now) - epoch(s.starts_at)) % 86400 < epoch(s.ends_at) - epoch(s.starts_at)
        WHEN 'weekly' THEN (epoch($now) - epoch(s.starts_at)) % 604800 < epoch(s.ends_at) - epoch(s.starts_at)
        ELSE s.ends_at > $now
    END
ORDER BY s.id
