"""The views that people query, with what each column holds. The page Explore shows them; a test keeps them complete."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DocumentedView:
    """`description` says what one row is, `columns` what each column holds."""

    description: str
    columns: dict[str, str]


_PIPELINE = {
    "pipeline_id": "Id of the pipeline",
    "provider": "CI system: github-actions, gitlab, jenkins …",
    "repository": "Owner and name of the repository",
    "pipeline": "Name of the workflow",
}
_ATTEMPT = {
    "id": "Id of this attempt",
    "run_key": "Id of the run, the same for all its attempts",
    **_PIPELINE,
    "repository_url": "Address of the repository",
    "default_branch": "Default branch, where the CI system names it",
    "run_id": "Id at the CI system",
    "run_attempt": "1, 2 … for re-runs",
    "run_number": "Number that people see",
    "is_latest": "Whether this is the newest attempt of its run",
    "status": "queued, running, success, failed, cancelled, skipped, blocked",
    "conclusion": "The CI system's own word",
    "event": "What started it: push, pull_request, schedule …",
    "title": "Title at the CI system",
    "branch": "Branch of the commit",
    "base_branch": "Branch that a pull request is for",
    "on_default_branch": "Whether it ran on the default branch and not in a fork",
    "head_sha": "Commit",
    "head_repository": "Repository of the commit (another one for forks)",
    "is_fork": "Whether the commit is a fork's",
    "commit_message": "Whole message of the commit",
    "commit_author": "Author of the commit",
    "actor": "Who started it",
    "url": "Its page at the CI system",
    "created_at": "When it was created (UTC)",
    "started_at": "When it started",
    "finished_at": "When it finished; NULL while it runs",
    "updated_at": "When the CI system last changed it",
    "duration_seconds": "Finish − start, whole seconds",
    "begun_at": "Its start, else its creation",
    "last_activity_at": "Its finish, else its start, else its creation",
}
VIEWS: dict[str, DocumentedView] = {
    "runs": DocumentedView("One row a run: its latest attempt.", _ATTEMPT),
    "attempts": DocumentedView("One row an attempt: re-runs stand beside what they repeat.", _ATTEMPT),
    "job_runs": DocumentedView(
        "One row a job of an attempt.",
        {
            "id": "Id of the job",
            "attempt_id": "Id of its attempt",
            "run_key": "Id of its run",
            **_PIPELINE,
            "branch": "Branch of the commit",
            "head_sha": "Commit",
            "run_id": "Id of the run at the CI system",
            "run_attempt": "Attempt of the run",
            "job_id": "Id at the CI system",
            "name": "Name of the job",
            "status": "As of a run",
            "conclusion": "The CI system's own word",
            "runner_name": "Machine that ran it",
            "labels": "Labels of the runner that it asked for",
            "url": "Its page at the CI system",
            "created_at": "When it was created (UTC)",
            "started_at": "When it started",
            "finished_at": "When it finished",
            "duration_seconds": "Finish − start, whole seconds",
            "queue_seconds": "Start − creation, whole seconds",
        },
    ),
    "open_alerts": DocumentedView(
        "One row an alert that isn't resolved.",
        {
            "id": "Id of the alert",
            "type": "pipeline_failure, slow_build, pipeline_down, high_failure_rate",
            "severity": "critical, warning, info",
            "status": "active, acknowledged, snoozed",
            **_PIPELINE,
            "branch": "Branch that it is about",
            "attempt_id": "Newest attempt that raised it",
            "message": "What it says",
            "occurrences": "How often it was raised",
            "created_at": "When it was raised first (UTC)",
            "last_seen_at": "When it was raised last",
            "acknowledged_at": "When somebody took it on",
            "acknowledged_by": "Who took it on",
            "note": "What they noted",
            "snoozed_until": "Until when it is silent",
        },
    ),
    "daily_pipeline_stats": DocumentedView(
        "One row a pipeline and UTC day on which runs finished.",
        {
            "day": "UTC day",
            **_PIPELINE,
            "runs": "Runs that finished",
            "success": "Of them successful",
            "failed": "Of them failed",
            "cancelled": "Of them cancelled",
            "avg_duration_seconds": "Mean duration of successful and failed ones",
        },
    ),
    "recoveries": DocumentedView(
        "One row a time that a pipeline's default branch broke.",
        {
            **_PIPELINE,
            "first_failure_id": "Run (run_key) that broke it",
            "broke_at": "When that run finished (UTC)",
            "recovered_by": "Next successful run; NULL while it is broken",
            "recovered_at": "When that one finished",
            "seconds": "From the one to the other, whole seconds",
        },
    ),
}

EXAMPLES: dict[str, str] = {
    "Success rate by repository": """SELECT repository, count(*) AS runs,
    count(*) FILTER (WHERE status = 'success') / count(*) FILTER (WHERE status IN ('success', 'failed')) AS success_rate
FROM runs
WHERE finished_at > now() - INTERVAL 30 DAY
GROUP BY repository
ORDER BY success_rate""",
    "Runs by hour of the day": """SELECT hour(begun_at) AS hour_utc, count(*) AS runs
FROM runs
GROUP BY hour_utc
ORDER BY hour_utc""",
    "Slowest jobs": """SELECT repository, pipeline, name AS job, count(*) AS runs,
    median(duration_seconds) AS median_seconds
FROM job_runs
WHERE status = 'success' AND finished_at > now() - INTERVAL 30 DAY
GROUP BY ALL
ORDER BY median_seconds DESC
LIMIT 20""",
    "Failures by weekday": """SELECT dayname(finished_at) AS weekday, count(*) AS runs,
    count(*) FILTER (WHERE status = 'failed') AS failed
FROM runs
WHERE finished_at IS NOT NULL
GROUP BY weekday, isodow(finished_at)
ORDER BY isodow(finished_at)""",
    "Longest breakages": """SELECT repository, pipeline, broke_at, recovered_at, seconds / 3600 AS hours
FROM recoveries
ORDER BY coalesce(seconds, epoch(now() - broke_at)) DESC
LIMIT 20""",
    "Runs by day": """SELECT day, sum(success) AS success, sum(failed) AS failed
FROM daily_pipeline_stats
GROUP BY day
ORDER BY day""",
}
