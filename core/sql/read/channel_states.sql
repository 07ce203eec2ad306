-- What became of the messages of each channel: one row for each that ever had any. $since: UTC time, for what counts as lately.
SELECT
    channel,
    count(*) FILTER (WHERE status IN ('pending', 'sending')) AS waiting,
    count(*) FILTER (WHERE status = 'failed' AND created_at >= $since) AS failed,
    count(*) FILTER (WHERE status = 'sent' AND sent_at >= $since) AS sent,
    max(sent_at) AS last_sent_at,
    min(next_attempt_at) FILTER (WHERE status = 'pending' AND attempts > 0) AS next_attempt_at,
    max(error) FILTER (WHERE status = 'pending' AND attempts > 0) AS waiting_error
FROM notifications
GROUP BY channel
ORDER BY channel
