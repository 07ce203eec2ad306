"""A kept log, opened: windows, groups, steps and searches, whatever the log has in it."""

from datetime import UTC, datetime

import pytest

from core.logs.keep import BLOCK, KeptLog
from core.logs.marks import Group, marked
from core.logs.opened import OpenLog, StepStart, text_of


def _opened(text: bytes, limit: int = 100_000_000) -> OpenLog:
    return OpenLog(_packed(text, limit))


def _packed(text: bytes, limit: int = 100_000_000) -> bytes:
    kept = KeptLog(limit)
    for at in range(0, len(text), 10_007):
        kept.feed(text[at : at + 10_007])
    return kept.packed()


@pytest.mark.parametrize(
    "text", [b"", b"\n", b"one", b"one\n", b"a\n\n\nb\n", b"x" * (2 * BLOCK), b"y\n" * BLOCK, "\u20ac\n".encode() * 9]
)
def test_what_was_kept_comes_back(text: bytes) -> None:
    assert b"".join(text_of(_packed(text))) == text


def test_any_window_is_what_the_whole_log_has_there() -> None:
    lines = [f"line {number} " + "x" * (number % 97) for number in range(1, 20_001)]
    log = _opened("\n".join(lines).encode())
    assert log.total == 20_000
    for start, count in ((1, 10), (4_990, 300), (19_995, 100), (20_001, 5)):
        assert log.lines(start, count) == lines[start - 1 : start - 1 + count]


def test_bytes_that_are_no_text_are_still_lines() -> None:
    hostile = (
        b"\xef\xbb\xbffirst\r\nnul \x00 here\r\n\xff\xfe half\r\nmid \xef\xbb\xbf mark\n\xed\xa0\x80 surrogate\n"
        + b"w" * 453_000
    )
    log = _opened(hostile)
    assert log.total == 6
    assert log.lines(1, 2) == ["first", "nul \x00 here"]
    assert log.lines(4, 1) == ["mid \ufeff mark"]
    assert len(log.lines(6, 1)[0]) == 453_000
    "\n".join(log.lines(1, 6)).encode()  # nothing in it that can't be sent


def test_a_search_finds_words_in_any_case_and_colour_but_not_in_time_stamps() -> None:
    log = _opened(b"2026-03-02T12:00:00.0Z Out of \x1b[31mMEM\x1b[0mory\nnothing\n2026-03-02T12:00:01.0Z memory\n")
    assert log.search("memory").lines == (1, 3)
    assert log.search("2026-03").total == 0
    assert log.search("x" * 200).total == 0


def test_a_search_counts_all_and_names_the_first_ten_thousand() -> None:
    hits = _opened(b"again\n" * 25_000).search("again")
    assert hits.total == 25_000
    assert hits.lines == tuple(range(1, 10_001))


def test_groups_of_github_are_flat_and_folded() -> None:
    log = _opened(b"a\n##[group]Run one\nx\n##[endgroup]\nb\n##[group]Two\ny\n##[group]Three\nz\n")
    assert log.groups == [Group(2, 4, "Run one", True), Group(6, 7, "Two", True), Group(8, 9, "Three", True)]


def test_sections_of_gitlab_nest_and_may_begin_where_another_ends() -> None:
    start, end = "section_start:1:{}\r\x1b[0K{}", "section_end:2:{}\r\x1b[0K"
    text = "\n".join(
        [start.format("all", "All"), start.format("in[collapsed=true]", "\x1b[36mInner\x1b[0m"), "x",
         end.format("in") + start.format("next", "Next"), "y", end.format("next"), end.format("all"), "done"]
    )  # fmt: skip
    found = [(group.start, group.end, group.title, group.is_folded) for group in _opened(text.encode()).groups]
    assert found == [(1, 7, "All", False), (2, 3, "Inner", True), (4, 6, "Next", False)]


def test_stages_of_jenkins_are_groups() -> None:
    text = (
        b"[Pipeline] node\n[Pipeline] {\n[Pipeline] stage\n[Pipeline] { (Build)\n+ make\n[Pipeline] }\n[Pipeline] }\n"
    )
    assert _opened(text).groups == [Group(4, 6, "Build", False)]


def test_ends_without_begins_and_begins_without_ends_do_no_harm() -> None:
    assert _opened(b"##[endgroup]\nsection_end:1:x\r\x1b[0K\n[Pipeline] }\n##[group]open\nx").groups == [
        Group(4, 5, "open", True)
    ]


def test_a_step_begins_at_the_group_that_github_opens_for_it() -> None:
    text = (
        b"2026-03-02T12:00:00.1Z Prepare\n"
        b"2026-03-02T12:00:01.2Z ##[group]Run actions/checkout@v5\n"
        b"2026-03-02T12:00:01.3Z ##[endgroup]\n"
        b"2026-03-02T12:00:01.9Z still the first\n"
        b"2026-03-02T12:00:01.95Z ##[group]Run make\n"
        b"2026-03-02T12:00:09.0Z done\n"
    )
    starts = [(0, "Set up"), (1, "Check out"), (1, "make"), (9, "Complete")]
    steps = [StepStart(name, datetime(2026, 3, 2, 12, 0, second, tzinfo=UTC)) for second, name in starts]
    assert _opened(text).step_lines([*steps, StepStart("never", None)]) == [1, 2, 5, 6, None]
    assert _opened(b"no times here\n").step_lines(steps) == [None] * 4


def test_a_line_is_shown_without_its_marks() -> None:
    assert marked("2026-03-02T12:00:00.1Z ##[error]broken").text == "broken"
    assert marked("##[warning file=a.py,line=3]old").kind == "warning"
    assert marked("section_end:1:a\r\x1b[0K").kind == "end"
    assert marked("section_end:1:a\r\x1b[0KJob succeeded").kind == ""
    assert marked("##[unheard of]x").text == "##[unheard of]x"
