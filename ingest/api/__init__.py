"""The REST API: canonical under /api/v1, the same under /api."""
