-- For each CI system that is polled: how many repositories, how many of them fail, the last success, one of the errors.
SELECT
    provider, count(*) AS repositories, count(last_error) AS failing, max(last_success_at) AS last_success_at,
    max(last_error) AS an_error
FROM poll_state
WHERE is_polled
GROUP BY provider
ORDER BY provider
