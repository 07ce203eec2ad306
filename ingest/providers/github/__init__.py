"""GitHub Actions: verify a webhook's signature, turn its payload into the model."""

PROVIDER = "github-actions"
