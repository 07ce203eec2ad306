"""The four key metrics of DORA, from runs that are marked as deployments.

Definitions: https://dora.dev/guides/dora-metrics-four-keys/. Levels: Accelerate State of DevOps Report 2024
(https://dora.dev/research/2024/dora-report/), which gives them for one application or service; here a repository
stands for one. Its change failure rates (elite 5 %, high 20 %, medium 10 %, low 40 %) don't order the levels, so none
is given for it.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

Level = Literal["elite", "high", "medium", "low"]
Pattern = Annotated[str, Field(min_length=1, max_length=100)]
Patterns = Annotated[tuple[Pattern, ...], Field(max_length=50)]

HOUR, DAY, WEEK, MONTH = 3600.0, 86_400.0, 604_800.0, 2_629_746.0
# How far back a change may have begun that was deployed in the window.
HISTORY = timedelta(days=60)
MOST_ROWS = 200_000


class Marks(BaseModel):
    """Which runs are deployments: by the workflow's name, by the event, or by jobs named for an environment.

    Names are patterns as of file names (`*`, `?`), upper and lower case alike.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    workflows: Patterns = ()
    events: Patterns = ()
    jobs: Patterns = ()

    def parameters(self) -> dict[str, str | tuple[str, ...] | None]:
        """The parameters of deployments.sql and lead_times.sql that say which runs."""
        return {
            "workflow_pattern": _expression(self.workflows),
            "job_pattern": _expression(self.jobs),
            "events": self.events,
        }


DEFAULT_MARKS = Marks(workflows=("*deploy*",), events=("deployment",))


@dataclass(frozen=True, slots=True)
class Keys:
    """The metrics of some deployments, of one repository or (None) of all. None where there is nothing to say."""

    repository: str | None
    deployments: int
    failed: int
    successful_per_day: float
    frequency_level: Level | None
    changes: int
    lead_time_p50_seconds: float | None
    lead_time_level: Level | None
    change_failure_rate: float | None
    recovery_p50_seconds: float | None
    recovery_level: Level | None
    recovered: int
    unrecovered: int


def _expression(patterns: tuple[str, ...]) -> str | None:
    """One regular expression for patterns of lower-case names, in what RE2 and PostgreSQL both understand."""
    if not patterns:
        return None
    wild = {"*": ".*", "?": "."}
    each = ["".join(wild.get(c) or re.escape(c) for c in pattern.lower()) for pattern in patterns]
    return f"^({'|'.join(each)})$"


def recoveries(deployments: pd.DataFrame) -> pd.DataFrame:
    """One row for each outage: `repository`, `pipeline_id`, `failed_at` and `recovered_at` (NaT: not yet).

    It lasts from the first failed deployment of a pipeline to its next successful one. `deployments`: rows of
    deployments.
    """
    ordered = deployments.sort_values(["pipeline_id", "finished_at", "attempt_id"])
    rows = []
    for (repository, pipeline_id), line in ordered.groupby(["repository", "pipeline_id"]):
        failed_at = None
        for status, at in zip(line["status"], line["finished_at"], strict=True):
            if status == "failed" and failed_at is None:
                failed_at = at
            elif status == "success" and failed_at is not None:
                rows.append((repository, pipeline_id, failed_at, at))
                failed_at = None
        if failed_at is not None:
            rows.append((repository, pipeline_id, failed_at, pd.NaT))
    found = pd.DataFrame(rows, columns=["repository", "pipeline_id", "failed_at", "recovered_at"])
    return found.astype(dict.fromkeys(("failed_at", "recovered_at"), deployments["finished_at"].dtype))


def report(deployments: pd.DataFrame, leads: pd.DataFrame, days: float) -> list[Keys]:
    """The metrics of all deployments of a window of `days`, then of each repository.

    `deployments`, `leads`: the rows of deployments and of lead_times. How often all repositories together are deployed
    has no level: DORA's are of one application.
    """
    outages = recoveries(deployments)
    total = _keys(None, deployments, outages, leads[leads["repository"].isna() & leads["day"].isna()], days)
    each = [
        _keys(str(name), rows, outages[outages["repository"] == name], leads[leads["repository"] == name], days)
        for name, rows in deployments.groupby("repository")
    ]
    return [total, *each]


def _keys(
    repository: str | None, deployments: pd.DataFrame, outages: pd.DataFrame, lead: pd.DataFrame, days: float
) -> Keys:
    total, failed = len(deployments), int((deployments["status"] == "failed").sum())
    per_day = (total - failed) / days
    lasted = (outages["recovered_at"] - outages["failed_at"]).dt.total_seconds().dropna()
    recovery = float(lasted.median()) if len(lasted) else None
    changes = int(lead["changes"].iloc[0]) if len(lead) else 0
    lead_time = float(lead["p50_seconds"].iloc[0]) if changes else None
    return Keys(
        repository=repository,
        deployments=total,
        failed=failed,
        successful_per_day=per_day,
        frequency_level=frequency_level(per_day) if repository and total else None,
        changes=changes,
        lead_time_p50_seconds=lead_time,
        lead_time_level=None if lead_time is None else lead_time_level(lead_time),
        change_failure_rate=failed / total if total else None,
        recovery_p50_seconds=recovery,
        recovery_level=None if recovery is None else recovery_level(recovery),
        recovered=len(lasted),
        unrecovered=int(outages["recovered_at"].isna().sum()),
    )


def by_day(deployments: pd.DataFrame, zone: str) -> pd.DataFrame:
    """Deployments of each calendar day of an IANA time zone that saw any: `day`, `success`, `failed`."""
    days = deployments["finished_at"].dt.tz_convert(zone).dt.date
    counted = pd.crosstab(days, deployments["status"]).reindex(columns=["success", "failed"], fill_value=0)
    return counted.rename_axis(index="day", columns=None).reset_index()


def frequency_level(per_day: float) -> Level:
    """On demand, several a day; up to once a week; up to once a month; less."""
    if per_day >= 1:
        return "elite"
    if per_day >= DAY / WEEK:
        return "high"
    return "medium" if per_day >= DAY / MONTH else "low"


def lead_time_level(seconds: float) -> Level:
    """Less than a day, a week, a month; more."""
    if seconds < DAY:
        return "elite"
    if seconds < WEEK:
        return "high"
    return "medium" if seconds < MONTH else "low"


def recovery_level(seconds: float) -> Level:
    """Less than an hour; less than a day (high and medium alike, so high); a week; more."""
    if seconds < HOUR:
        return "elite"
    if seconds < DAY:
        return "high"
    return "medium" if seconds < WEEK else "low"
