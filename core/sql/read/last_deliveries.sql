-- For each CI system that ever sent a webhook that is still kept: the newest call, what became of it and why.
SELECT provider, max(received_at) AS last_at, arg_max(result, received_at) AS last_result, arg_max(reason, received_at) AS last_reason
FROM deliveries
GROUP BY provider
ORDER BY provider
