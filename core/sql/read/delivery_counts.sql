-- How many kept deliveries had which result.
SELECT result, count(*) AS number
FROM deliveries
GROUP BY result
