-- What happened to one alert, oldest first. $alert_id: text.
SELECT kind, occurred_at, actor, note, attempt_id FROM alert_events WHERE alert_id = $alert_id ORDER BY occurred_at, kind
