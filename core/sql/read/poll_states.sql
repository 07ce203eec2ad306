-- Every repository that is polled: when it was last asked, how far behind it is (seconds since the last success), what went wrong.
-- $now: the moment of asking.
SELECT
    provider, repository, repository_id, cursor, first_poll_at, last_poll_at, last_success_at, last_change_at, last_recheck_at,
    last_error, background_error, coalesce(last_error, background_error) AS error,
    date_diff('second', last_success_at, $now) AS lag_seconds,
    rows_added, gaps_closed, requests, points, backfill_since, backfill_reached,
    coalesce(backfill_reached <= backfill_since, FALSE) AS backfill_done
FROM poll_state
WHERE is_polled
ORDER BY provider, repository
