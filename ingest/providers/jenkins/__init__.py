"""Jenkins: the payloads of its Notification plugin and of the pipeline step that docs/providers.md gives."""

PROVIDER = "jenkins"
