"""Bitbucket Pipelines: the build statuses that Bitbucket's webhooks tell of."""

PROVIDER = "bitbucket"
