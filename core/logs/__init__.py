"""Logs of jobs: what is kept of them, and the few lines that say why a job failed. Pure."""
