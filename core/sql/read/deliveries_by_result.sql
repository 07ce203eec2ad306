-- Kept deliveries by CI system and result.
SELECT provider, result, count(*) AS deliveries FROM deliveries GROUP BY provider, result ORDER BY provider, result
