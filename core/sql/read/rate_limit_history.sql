-- The rate-limit budget over time, oldest first. $provider: text or NULL (any). $since: UTC time.
SELECT sampled_at, provider, remaining, allowed, used, reset_at
FROM rate_limit_samples
WHERE sampled_at >= $since AND ($provider IS NULL OR provider = $provider)
ORDER BY provider, sampled_at
