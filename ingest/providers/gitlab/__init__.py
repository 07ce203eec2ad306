"""GitLab CI: pipeline and job hooks, from gitlab.com or from one's own server."""

PROVIDER = "gitlab"
