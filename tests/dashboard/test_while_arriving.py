"""What viewers share while data keeps arriving."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dashboard.data import LONG_HISTORY, Freshness

NOW = datetime(2026, 3, 1, 12, 30, 2, tzinfo=UTC)
BUSY = Freshness(NOW - timedelta(milliseconds=20), NOW, alert_changes=3, runs=LONG_HISTORY, simulated=False)


def later(seconds: float, fresh: Freshness = BUSY) -> Freshness:
    """As `fresh`, after more arrived."""
    return replace(fresh, last_delivery_at=NOW + timedelta(seconds=seconds), runs=fresh.runs + 7)


def test_who_looks_within_seconds_reads_by_the_same_while_webhooks_arrive() -> None:
    assert BUSY.while_arriving(NOW) == later(1).while_arriving(NOW + timedelta(seconds=1.1))


def test_some_seconds_later_everything_is_read_anew() -> None:
    assert BUSY.while_arriving(NOW) != later(5).while_arriving(NOW + timedelta(seconds=5.1))


def test_the_last_webhook_of_all_is_seen_once_nothing_follows() -> None:
    last = later(2.5)
    assert last.while_arriving(NOW + timedelta(seconds=9)) == last


def test_a_changed_alert_is_seen_at_once() -> None:
    changed = replace(BUSY, alert_changes=4)
    assert changed.while_arriving(NOW) != BUSY.while_arriving(NOW)


def test_on_a_short_history_every_webhook_counts_and_so_does_a_first_one() -> None:
    short = replace(BUSY, runs=LONG_HISTORY - 1)
    assert short.while_arriving(NOW) == short
    polled = replace(BUSY, last_delivery_at=None)
    assert polled.while_arriving(NOW) == polled
