"""Azure Pipelines: the service hooks "build completed" and "run state changed"."""

PROVIDER = "azure-pipelines"
