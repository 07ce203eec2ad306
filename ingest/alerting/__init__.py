"""Alerts while the service runs: when rules are evaluated, and how messages leave the house."""
