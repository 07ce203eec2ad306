"""How a duration, a time, a percentage and a text from outside are written."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from dashboard.parts import formats

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0s"), (59.4, "59s"), (59.5, "1m 00s"), (200, "3m 20s"), (3599.6, "1h 00m"), (3900, "1h 05m"),
        (187_200, "2d 04h"), (-5, "-5s"), (-0.2, "0s"), (None, "–"), (float("nan"), "–"),
    ],
)  # fmt: skip
def test_a_duration_is_written_in_its_two_largest_units(seconds: float | None, written: str) -> None:
    assert formats.duration(seconds) == written


@pytest.mark.parametrize(
    ("fraction", "written"),
    [(0, "0%"), (1, "100%"), (0.934, "93.4%"), (0.99996, "99.9%"), (0.00001, "0.1%"), (None, "–"), (0.5, "50.0%")],
)
def test_only_all_is_written_as_100_percent_and_only_none_as_0(fraction: float | None, written: str) -> None:
    assert formats.percentage(fraction) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (-30, "just now"), (44, "just now"), (46, "1 min ago"), (3569, "59 min ago"), (3571, "1 h ago"),
        (84_599, "23 h ago"), (84_601, "1 day ago"), (200_000, "2 days ago"),
    ],
)  # fmt: skip
def test_a_moment_is_told_by_how_long_ago_it_was(seconds: int, written: str) -> None:
    assert formats.relative(NOW - timedelta(seconds=seconds), NOW) == written


def test_an_exact_time_is_in_the_viewers_zone_and_names_it() -> None:
    assert formats.exact(NOW, ZoneInfo("Europe/Madrid")) == "Mon 2 Mar 2026, 13:00:00 CET"
    assert formats.exact(pd.NaT, UTC) == "–"


@pytest.mark.parametrize(
    "hostile", ["**b**", "[x](javascript:y)", "<img src=x>", "`c` $a$ ~~s~~ :red[r]", "# h", "a|b"]
)
def test_no_mark_of_markdown_survives_unescaped(hostile: str) -> None:
    without_escapes = re.sub(r"\\[!-/:-@\[-`{-~]", "", formats.plain(hostile))
    assert not formats.MARKDOWN.search(without_escapes)


@pytest.mark.parametrize("text", ["www.evil.example", "https://evil.example", "a@evil.example", ":smile:", "a -> b"])
def test_what_streamlit_replaces_after_parsing_is_broken_up(text: str) -> None:
    written = formats.plain(text).replace("\\", "")
    assert text not in written
    assert written.replace("\N{WORD JOINER}", "") == text


def test_line_ends_cannot_begin_a_block_of_markdown() -> None:
    assert "\n" not in formats.plain("one\n\n# two\r\nthree")


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "//evil", "file:///etc/passwd", "https://", "http://a b", None, ""],
)
def test_only_web_addresses_become_links(address: str | None) -> None:
    assert formats.safe_url(address) is None


def test_a_commit_is_linked_only_by_a_real_hash_in_a_real_repository() -> None:
    sha = "0123456789abcdef"
    assert formats.commit_url("https://h/acme/web/", sha, "github-actions") == f"https://h/acme/web/commit/{sha}"
    assert formats.commit_url("https://h/acme/web", sha, "gitlab") == f"https://h/acme/web/-/commit/{sha}"
    assert formats.commit_url("https://h/acme/web", "../../evil", "github-actions") is None
    assert formats.commit_url("javascript:x", sha, "github-actions") is None


def test_a_runs_address_quotes_every_sign_of_its_id() -> None:
    assert formats.run_path("github:1/2?&#") == "run?id=github%3A1%2F2%3F%26%23"
