"""Buildkite: its build and job webhooks."""

PROVIDER = "buildkite"
