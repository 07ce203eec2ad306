"""The domain: settings, model, store, queries, alert rules. Knows nothing of the web or of any page."""
