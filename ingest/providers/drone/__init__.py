"""Drone: the builds that its global webhooks tell of."""

PROVIDER = "drone"
