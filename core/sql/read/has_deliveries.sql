-- Do webhooks of this CI system arrive at all? $provider: text.
SELECT count(*) > 0 AS arrive
FROM (SELECT 1 FROM deliveries WHERE provider = $provider LIMIT 1)
