"""CDEvents (https://cdevents.dev): pipeline runs and task runs of Tekton, Jenkins X and whoever else speaks it."""

PROVIDER = "cdevents"
