"""The pages about alerts, run by Streamlit itself over a real database file (the service being away)."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from core.pipeline_rules import Rules, Thresholds
from core.store.duckdb_file import open_read_only
from dashboard.parts import alert_actions, alerts_table
from dashboard.reads.alert_settings import with_thresholds
from tests.builders import NOON
from tests.dashboard.history_pages import history, opened, over_history, shown

__all__ = ["history", "over_history"]  # fixtures


def test_the_medians_equal_an_independent_count(over_history: None, history: Path) -> None:
    test = opened("alerts", window="90d")
    assert not test.exception
    with open_read_only(history) as connection:
        alerts = connection.execute("SELECT * FROM alerts").df()
    tiles = {tile.label: tile.value for tile in test.metric}
    assert tiles["Waiting"] == str((alerts["status"] == "active").sum())
    assert tiles["Taken on"] == str((alerts["status"] == "acknowledged").sum())
    for label, column in (("Time to acknowledge", "acknowledged_at"), ("Time to resolve", "resolved_at")):
        seconds = (alerts[column] - alerts["created_at"]).dt.total_seconds().dropna().clip(lower=0)
        assert tiles[label] == alerts_table.duration(float(seconds.median()))


@pytest.mark.parametrize("state", ["active", "acknowledged", "snoozed", "resolved", "nonsense"])
def test_each_state_and_filter_has_a_page(over_history: None, state: str) -> None:
    test = opened("alerts", state=state, severity="critical", type="pipeline_failure", repository="brightloop/web")
    assert not test.exception
    assert not test.error


def test_a_filter_in_the_link_narrows_the_list(over_history: None, history: Path) -> None:
    test = opened("alerts", state="resolved", severity="critical", window="90d")
    with open_read_only(history) as connection:
        row = connection.execute(
            "SELECT count(*) FROM alerts WHERE status = 'resolved' AND severity = 'critical'"
        ).fetchone()
    assert row
    assert f"{row[0]:,} alert" in shown(test)


def test_the_page_of_an_alert_tells_its_story(over_history: None, history: Path) -> None:
    with open_read_only(history) as connection:
        row = connection.execute(
            """SELECT id, message, acknowledged_by FROM alerts
            WHERE acknowledged_by IS NOT NULL AND status = 'resolved' LIMIT 1"""
        ).fetchone()
    assert row
    test = opened("alert", id=row[0])
    assert not test.exception
    words = shown(test).replace("\\", "")
    assert row[1].replace("-", "") in words.replace("-", "")
    assert f"Acknowledged by **{row[2]}**" in words
    assert "Resolved" in words


@pytest.mark.parametrize("alert_id", ["", "nonsense", "'; DROP TABLE alerts; --"])
def test_the_page_of_an_unknown_alert_leads_back(over_history: None, alert_id: str) -> None:
    test = opened("alert", id=alert_id)
    assert not test.exception
    assert "no such alert" in shown(test)


def test_the_preview_of_the_rules_that_hold_is_what_they_raised(over_history: None, history: Path) -> None:
    test = opened("alert_settings", tab="rules")
    assert not test.exception
    with open_read_only(history) as connection:
        row = connection.execute("SELECT count(*) FROM alerts WHERE created_at > now() - INTERVAL 30 DAY").fetchone()
    assert row
    assert f"would have raised {row[0]} alerts" in shown(test)


def test_other_thresholds_are_tried_before_they_are_saved(over_history: None) -> None:
    test = opened("alert_settings", tab="rules")
    before = next(part.value for part in test.header if "would have raised" in part.value)
    test.number_input(key="rate_all").set_value(1).run()
    test.number_input(key="least_all").set_value(1).run()
    assert not test.exception
    after = next(part.value for part in test.header if "would have raised" in part.value)
    assert before != after
    assert "With the thresholds that hold now" in shown(test)


@pytest.mark.parametrize("tab", ["silences", "routes", "channels"])
def test_the_settings_say_so_when_the_service_is_away(over_history: None, tab: str) -> None:
    test = opened("alert_settings", tab=tab)
    assert not test.exception
    assert "ingest" in shown(test).lower()
    assert not [button for button in test.button if button.label in ("Save", "Silence", "Send a test")]


def test_a_pipeline_keeps_only_what_differs() -> None:
    stored = {"default": {"down_hours": 48}, "pipelines": {"p1": {"failure_rate": 0.5}}}
    changed = with_thresholds(stored, "p1", Thresholds(None, 48, 0.2, 10))
    assert changed["pipelines"] == {"p1": {"failure_rate_min_runs": 10}}
    assert with_thresholds(stored, "p1", None)["pipelines"] == {}
    assert Rules.read(with_thresholds(stored, None, Thresholds(900.0))).default.slow_seconds == 900


def test_a_snooze_ends_at_nine_by_the_viewers_clock() -> None:
    """NOON is a Monday in UTC, before the clocks change at the end of March."""
    zone = ZoneInfo("America/New_York")
    tomorrow = NOON + alert_actions.length_of("Until tomorrow, 9:00", NOON, zone)
    monday = NOON + alert_actions.length_of("Until Monday, 9:00", NOON, zone)
    assert f"{tomorrow.astimezone(zone):%a %H:%M}" == "Tue 09:00"
    assert f"{monday.astimezone(zone):%a %d %H:%M}" == "Mon 09 09:00"
    assert alert_actions.length_of("4 hours", NOON, zone) == timedelta(hours=4)


def test_the_state_says_who_and_when() -> None:
    def state(**changes: object) -> tuple[str, str]:
        alert = {"status": "active", "held": None, "note": None, "created_at": pd.Timestamp(NOON)} | changes
        return alerts_table.state_of(alert, NOON + timedelta(hours=2), ZoneInfo("UTC"))

    assert state() == ("Nobody yet", "")
    assert state(held="silenced") == ("Nobody yet", "no message: silenced")
    taken = state(status="acknowledged", acknowledged_by="Ana", acknowledged_at=pd.Timestamp(NOON), note="on it")
    assert taken == ("Ana, 2 h ago", "on it")
    assert (
        state(status="snoozed", snoozed_until=pd.Timestamp(NOON + timedelta(days=1)))[0]
        == "Snoozed until Tue 3 Mar 12:00"
    )
    ended = pd.Timestamp(NOON + timedelta(minutes=90))
    assert state(status="resolved", resolved_by="system", resolved_at=ended)[0] == "By itself, after 1h 30m"
