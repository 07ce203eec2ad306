"""The days of the chart in the viewer's zone, what a click means, and the view that a link describes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from dashboard.data import Scope
from dashboard.parts import charts
from dashboard.parts.filters import View, link_of, midnight, viewer_zone

MADRID = ZoneInfo("Europe/Madrid")
UTC_ZONE = ZoneInfo("UTC")
EMPTY = pd.DataFrame(columns=["day", *charts.COUNTS, "avg_build_time"])


def outcome(day: date, **counts: int) -> dict[str, object]:
    return {"day": pd.Timestamp(day), **dict.fromkeys(charts.COUNTS, 0), "avg_build_time": 60.0, **counts}


def test_the_day_on_which_clocks_change_has_its_own_length() -> None:
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    assert midnight(spring + timedelta(days=1), MADRID) - midnight(spring, MADRID) == timedelta(hours=23)
    assert midnight(autumn + timedelta(days=1), MADRID) - midnight(autumn, MADRID) == timedelta(hours=25)


def test_seven_days_over_a_change_of_clocks_are_seven_days_ending_today() -> None:
    days = charts.days_until(datetime(2026, 3, 30, 22, 30, tzinfo=UTC), MADRID, 7)
    assert days == [date(2026, 3, 25) + timedelta(days=n) for n in range(7)]
    assert charts.chart_start(days, MADRID) == datetime(2026, 3, 24, 23, 0, tzinfo=UTC)


def test_every_day_stands_in_the_chart_even_where_nothing_ran() -> None:
    days = [date(2026, 3, n) for n in range(1, 8)]
    daily = charts.by_day(pd.DataFrame([outcome(days[2], success=3, failed=1)]), days)
    assert daily["success"].tolist() == [0, 0, 3, 0, 0, 0, 0]
    assert daily["failed"].tolist() == [0, 0, 1, 0, 0, 0, 0]
    assert charts.by_day(EMPTY, days)["running"].tolist() == [0] * 7


def test_the_figure_fades_all_but_the_picked_segment() -> None:
    days = [date(2026, 3, n) for n in range(1, 8)]
    view = View(Scope(), "7d", UTC_ZONE, days[2], "failed")
    figure = charts.status_figure(charts.by_day(EMPTY, days), view)
    assert {trace["name"]: trace["selectedpoints"] for trace in figure["data"]} == {
        "Success": [], "Failed": [2], "Running": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("success", "failed", "ticks"), [(0, 0, {"dtick": 1}), (4, 1, {"dtick": 1}), (4, 2, {"nticks": 5})]
)
def test_few_runs_have_no_tick_between_whole_numbers(success: int, failed: int, ticks: dict[str, int]) -> None:
    days = [date(2026, 3, n) for n in range(1, 8)]
    daily = charts.by_day(pd.DataFrame([outcome(days[2], success=success, failed=failed)]), days)
    axis = charts.status_figure(daily, View(Scope(), "7d", UTC_ZONE))["layout"]["yaxis"]
    assert {name: axis[name] for name in ("dtick", "nticks") if name in axis} == ticks


def test_a_click_names_an_outcome_and_a_day_and_anything_else_names_nothing() -> None:
    assert charts.picked({"curve_number": 1, "x": "2026-03-03"}) == ("failed", date(2026, 3, 3))
    assert charts.picked({"curve_number": 9, "x": "2026-03-03"})[0] is None
    assert charts.picked({"curve_number": 0, "x": "<script>"}) == (None, None)


def test_a_picked_day_takes_the_place_of_the_window_in_the_viewers_zone() -> None:
    query = View(Scope(), "24h", MADRID, date(2026, 3, 2), "running").run_query(datetime(2026, 3, 9, tzinfo=UTC))
    assert query.since == datetime(2026, 3, 1, 23, 0, tzinfo=UTC)
    assert query.until == datetime(2026, 3, 2, 23, 0, tzinfo=UTC)
    assert query.statuses == ("running", "queued", "blocked")


def test_without_a_pick_the_table_follows_the_rolling_window() -> None:
    now = datetime(2026, 3, 9, tzinfo=UTC)
    query = View(Scope(branch="main"), "30d", MADRID).run_query(now)
    assert (query.since, query.until, query.statuses) == (now - timedelta(days=30), None, None)


def test_view_all_carries_the_whole_view_in_its_link() -> None:
    view = View(Scope("acme-ci", "acme/web", "main"), "30d", MADRID, date(2026, 3, 2), "failed")
    assert link_of(view) == {
        "provider": "acme-ci", "repository": "acme/web", "branch": "main", "window": "30d", "status": "Failed",
        "day": "2026-03-02",
    }  # fmt: skip
    assert link_of(View(Scope(), "7d", MADRID)) == {}


@pytest.mark.parametrize("name", [None, "", "Not/AZone", "../../etc/passwd", "x'; DROP TABLE runs; --"])
def test_an_unknown_zone_of_the_browser_counts_as_utc(name: str | None) -> None:
    assert viewer_zone(name).key == "UTC"
