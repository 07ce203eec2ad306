"""Buildbot: what its HttpStatusPush reporter sends when a build starts and when it is complete."""

PROVIDER = "buildbot"
