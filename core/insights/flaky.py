"""Flaky jobs: the pairs of tries that prove them, and their course by week."""

from datetime import date, timedelta

import pandas as pd

COLUMNS = [
    "head_sha", "commit_message", "branch", "failed_id", "failed_job", "failed_run", "failed_at", "failed_seconds",
    "passed_id", "passed_job", "passed_run", "passed_at", "passed_seconds",
]  # fmt: skip


def pairs(tries: pd.DataFrame) -> pd.DataFrame:
    """One row for each failed try with the try that passed on the same commit: the next one, else the last before.

    `tries`: the rows of flaky_tries. `*_id` is the run's key, `*_run` what people call it: `#12, attempt 2`.
    """
    rows = []
    for _, commit in tries.groupby("head_sha", sort=False):
        passed = commit[commit["status"] == "success"]
        for _, failed in commit[commit["status"] == "failed"].iterrows():
            others = passed[passed["attempt_id"] != failed["attempt_id"]]
            if others.empty:
                continue
            later = others[others["finished_at"] >= failed["finished_at"]]
            match = later.iloc[0] if len(later) else others.iloc[-1]
            rows.append(
                [
                    failed["head_sha"], failed["commit_message"], failed["branch"],
                    failed["id"], failed["job_id"], _name(failed), failed["finished_at"], failed["seconds"],
                    match["id"], match["job_id"], _name(match), match["finished_at"], match["seconds"],
                ]
            )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _name(row: "pd.Series[str]") -> str:
    number = row["run_id"] if pd.isna(row["run_number"]) else f"#{int(row['run_number'])}"
    return f"{number}, attempt {row['run_attempt']}" if int(row["run_attempt"]) > 1 else str(number)


def mondays(today: date, count: int) -> list[date]:
    """The Mondays of the `count` weeks that end with the one of `today`, oldest first."""
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=back) for back in reversed(range(count))]


def course(weeks: pd.DataFrame, mondays: list[date]) -> dict[tuple[str, str], list[int]]:
    """Wasted seconds of each (pipeline_id, job) in each week, 0 where it wasn't flaky. `weeks`: rows of flaky_weeks."""
    found: dict[tuple[str, str], list[int]] = {}
    place = {monday: index for index, monday in enumerate(mondays)}
    for row in weeks.itertuples():
        week = pd.Timestamp(row.week).date()  # type: ignore[arg-type]
        if week in place:
            found.setdefault((str(row.pipeline_id), str(row.job)), [0] * len(mondays))[place[week]] = int(
                row.wasted_seconds  # type: ignore[arg-type]
            )
    return found
