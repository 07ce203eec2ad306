"""CircleCI: its outbound webhooks `workflow-completed` and `job-completed`."""

PROVIDER = "circleci"
