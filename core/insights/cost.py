"""What machine time costs: the price table, and prices put to the rows of cost_jobs. Also the load over time.

Default prices: GitHub's per-minute rates for hosted runners as of 2026-01-01, in US dollars,
https://docs.github.com/en/billing/reference/actions-runner-pricing. GitHub rounds each job up to a whole minute.
"""

from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Annotated

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

SOURCE = "GitHub's list prices of 2026-01-01 (docs.github.com/en/billing/reference/actions-runner-pricing)"
OS_WORDS = {
    "Windows": ("windows", "win-", "win1", "win2"),
    "macOS": ("macos", "osx", "darwin", "mac-"),
    "Linux": ("linux", "ubuntu", "debian", "fedora", "alpine", "centos", "rhel"),
}
UNKNOWN_OS = "Unknown"
# Rows of cost_jobs (pipeline × job × labels) that are read at most; the longest come first.
MOST_ROWS = 20_000


class PriceRule(BaseModel):
    """What a minute costs on runners with a label like `match` (`*` and `?` as in file names).

    Only of the CI system `provider`, where one is named.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: Annotated[str, Field(min_length=1, max_length=200)]
    per_minute: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False, strict=True)]
    provider: Annotated[str, Field(max_length=50)] | None = None


class Prices(BaseModel):
    """The price table. The first rule that fits a job counts; where none does, its time has no price."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: Annotated[str, Field(min_length=1, max_length=8)] = "USD"
    source: Annotated[str, Field(max_length=300)] = ""
    rules: Annotated[tuple[PriceRule, ...], Field(max_length=200)] = ()

    def of(self, provider: str, labels: str) -> float | None:
        """The price of a minute on runners with these labels (separated by commas); None where no rule fits."""
        words = [word.strip().lower() for word in labels.split(",")]
        for rule in self.rules:
            fits = rule.provider is None or rule.provider == provider
            if fits and any(fnmatchcase(word, rule.match.lower()) for word in words):
                return rule.per_minute
        return None


def _github(match: str, per_minute: float) -> PriceRule:
    return PriceRule(match=match, per_minute=per_minute, provider="github-actions")


DEFAULT_PRICES = Prices(
    source=SOURCE,
    rules=(
        PriceRule(match="self-hosted", per_minute=0),
        _github("ubuntu-slim", 0.002),
        _github("ubuntu*16*core*", 0.042),
        _github("ubuntu*8*core*", 0.022),
        _github("ubuntu*4*core*", 0.012),
        _github("ubuntu*arm*", 0.005),
        _github("ubuntu*", 0.006),
        _github("windows*arm*", 0.008),
        _github("windows*", 0.010),
        _github("macos*xlarge", 0.102),
        _github("macos*large", 0.077),
        _github("macos*", 0.062),
    ),
)


def os_of(labels: str) -> str:
    """The operating system that a runner's labels name: Linux, Windows, macOS, or Unknown."""
    lower = labels.lower()
    return next((name for name, words in OS_WORDS.items() if any(word in lower for word in words)), UNKNOWN_OS)


def priced(jobs: pd.DataFrame, prices: Prices) -> pd.DataFrame:
    """The rows of cost_jobs with `os`, `per_minute`, `cost`, `failed_cost` and `rerun_cost`.

    A cost is started minutes times the price of a minute, 0 where there is no price (`per_minute` is NaN then).
    """
    pairs = list(zip(jobs["provider"], jobs["labels"], strict=True))
    each = {pair: prices.of(*pair) for pair in set(pairs)}
    price = pd.Series([each[pair] for pair in pairs], index=jobs.index, dtype=float)
    systems = {labels: os_of(labels) for labels in jobs["labels"].unique()}
    paid = price.fillna(0.0)
    return jobs.assign(
        os=jobs["labels"].map(systems),
        per_minute=price,
        cost=jobs["minutes"] * paid,
        failed_cost=jobs["failed_minutes"] * paid,
        rerun_cost=jobs["rerun_minutes"] * paid,
    )


def summed(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The rows of `priced` added up by columns, the dearest and then the longest first.

    A cost is NaN where nothing in a group has a price.
    """
    numbers = ["jobs", "seconds", "minutes", "failed_seconds", "rerun_seconds"]
    costs = ["cost", "failed_cost", "rerun_cost"]
    known = rows.assign(**{name: rows[name].where(rows["per_minute"].notna()) for name in costs})
    return (
        known.groupby(by)[numbers + costs]
        .sum(min_count=1)
        .reset_index()
        .sort_values(["cost", "seconds", *by], ascending=[False, False, *[True] * len(by)], ignore_index=True)
    )


def load(hours: pd.DataFrame, since: datetime, until: datetime) -> pd.DataFrame:
    """The most jobs at once in every hour between two UTC times: `hour` and `peak`. `hours`: the rows of concurrency.

    An hour in which nothing began or ended has as many as the last one left running.
    """
    first = since.replace(minute=0, second=0, microsecond=0)
    every = pd.date_range(first, until - timedelta(microseconds=1), freq="h")
    known = hours.set_index(pd.DatetimeIndex(hours["hour"]).as_unit(every.unit).tz_convert("UTC")).reindex(every)
    carried = known["closing"].ffill().shift(1).fillna(0)
    peak = known["peak"].where(known["peak"] > carried, carried)  # what is unknown is not larger
    return pd.DataFrame({"hour": every, "peak": peak.astype(int).to_numpy()})
