-- What the settings table holds: key, value (text or JSON), and who changed it when.
SELECT key, value, updated_at, updated_by FROM settings ORDER BY key
