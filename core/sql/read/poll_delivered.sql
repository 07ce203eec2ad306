-- Did a webhook speak of a run, whose id is $text, since a moment? $provider, $text: text. $since: UTC time.
SELECT count(*) > 0 AS arrived
FROM deliveries
WHERE provider = $provider AND received_at >= $since AND strpos(payload, $text) > 0
