-- The CI systems that ingest knows, in the order in which pages offer them: names, icons, and how each is set up.
SELECT provider, name, icon, settings, steps, polling_settings, polling_steps, is_secured, is_polled
FROM providers
ORDER BY place, name
