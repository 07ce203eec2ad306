-- Deliveries that came again, by CI system, since the UTC day of $since.
SELECT provider, CAST(sum(number) AS BIGINT) AS number
FROM delivery_duplicates
WHERE day >= CAST($since AT TIME ZONE 'UTC' AS DATE)
GROUP BY provider
ORDER BY provider
