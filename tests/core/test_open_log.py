"""A kept log, opened: windows, groups, steps and searches, whatever the log has in it."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from core.logs.keep import BLOCK, KeptLog
from core.logs.marks import Group, Marked, Marks, marked
from core.logs.opened import Hits, OpenLog, StepStart, text_of


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


def test_the_first_step_begins_with_its_first_line_also_when_the_second_begins_in_the_same_second() -> None:
    text = b"2026-03-02T12:00:01.1Z Prepare\n2026-03-02T12:00:01.2Z ##[group]Run make\n2026-03-02T12:00:01.3Z x\n"
    step = StepStart("any", datetime(2026, 3, 2, 12, 0, 1, tzinfo=UTC))
    assert _opened(text).step_lines([step, step]) == [1, 2]


def test_steps_that_open_no_group_begin_one_line_after_the_other() -> None:
    text = b"2026-03-02T12:00:01.1Z a\n2026-03-02T12:00:01.2Z b\n"
    step = StepStart("any", datetime(2026, 3, 2, 12, 0, 1, tzinfo=UTC))
    assert _opened(text).step_lines([step, step, step]) == [1, 2, None]


def test_a_step_is_found_in_whatever_part_of_a_large_log_it_begins() -> None:
    """Lines of a third of a block, one every ten seconds; a block in the middle and the last have no times."""
    moments = [datetime(2026, 3, 2, 12, tzinfo=UTC) + timedelta(seconds=10 * number) for number in range(12)]
    lines = [f"{moment:%Y-%m-%dT%H:%M:%S}.5Z {'x' * (BLOCK // 3)}\n" for moment in moments]
    log = _opened("".join([*lines[:6], f"{'y' * BLOCK}\n", *lines[6:]]).encode())
    for line, moment in zip([1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13], moments, strict=True):
        assert log.step_lines([StepStart("at", moment)]) == [line]
        assert log.step_lines([StepStart("before", moment - timedelta(seconds=5))]) == [line]
    assert log.step_lines([StepStart("after all", moments[-1] + timedelta(seconds=1))]) == [None]


def test_errors_are_known_by_their_lines() -> None:
    assert _opened(b"a\n##[error]one\nb\n##[warning]no\n##[error]two\n").errors == [2, 5]
    assert _opened(b"##[error]x\n" * 1_100).errors == list(range(1, 1_001))


def test_no_log_has_more_groups_than_a_page_can_list() -> None:
    marks = Marks()
    marks.read(["2026-03-02T12:00:01.1Z ##[group]a", "x", "##[endgroup]"] * 5_100, 1)
    marks.close(15_300)
    assert (len(marks.groups), len(marks.stamps)) == (5_000, 5_000)


def test_a_heading_alone_is_no_group() -> None:
    assert _opened(b"##[group]a\n##[group]b\nx\n##[group]c").groups == [Group(2, 3, "b", True)]


def test_the_end_of_a_section_that_never_began_ends_no_other() -> None:
    """Jenkins' blocks without a name lie on the same pile."""
    text = (
        b"[Pipeline] {\nsection_start:1:my_own.part\r\x1b[0K\nx\nsection_end:2:other\r\x1b[0K\ny\n"
        b"section_end:2:my_own.part\r\x1b[0K"
    )
    assert _opened(text).groups == [Group(2, 6, "my own.part", False)]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("2026-03-02T12:00:00.1Z ##[error]broken", Marked("2026-03-02T12:00:00.1Z", "error", "broken")),
        ("##[warning file=a.py,line=3]old", Marked("", "warning", "old")),
        (
            "2026-03-02T12:00:00Z ##[start-action id=1]x",
            Marked("2026-03-02T12:00:00Z", "quiet", "##[start-action id=1]x"),
        ),
        ("##[unheard of]x", Marked("", "", "##[unheard of]x")),
        ("2026-03-02T12:00:00Z [command]/usr/bin/git", Marked("2026-03-02T12:00:00Z", "command", "/usr/bin/git")),
        ("2026-03-02T12:00:00Z ##[section]Starting", Marked("2026-03-02T12:00:00Z", "command", "Starting")),
        ("section_end:1:a\r\x1b[0K", Marked("", "end", "")),
        ("section_end:1:a\r\x1b[0KJob succeeded", Marked("", "", "Job succeeded")),
        ("2026-03-02T12:00:00Z section_start:1:a\r\x1b[0KA", Marked("2026-03-02T12:00:00Z", "group", "A")),
        ("the section_ of a book", Marked("", "", "the section_ of a book")),
        ("[Pipeline] { (Build)", Marked("", "group", "Build")),
        ("2026-03-02T12:00:00Z [Pipeline] { (Build)", Marked("2026-03-02T12:00:00Z", "group", "Build")),
        ("2026-03-02T12:00:00Z [Pipeline] }", Marked("2026-03-02T12:00:00Z", "quiet", "[Pipeline] }")),
        ("[Pipeline] node", Marked("", "quiet", "[Pipeline] node")),
        ("2026-03-02T12:00:00.5Z 00O+ done", Marked("2026-03-02T12:00:00.5Z", "", "done")),
    ],
)
def test_a_line_is_shown_without_its_marks(line: str, shown: Marked) -> None:
    assert marked(line) == shown


def test_a_window_may_reach_over_many_parts_and_a_search_too() -> None:
    lines = [f"{number} {'x' * 999}" for number in range(1, 1_201)]
    lines[0], lines[-1] = "the needle", "another needle"
    log = _opened("\n".join(lines).encode())
    assert log.lines(1, 1_200) == lines
    assert log.lines(2, 1_000) == lines[1:1_001]
    assert log.search("NEEDLE").lines == (1, 1_200)
    assert log.search("") == Hits(0, ())
    assert log.size == len(log.content)


def test_the_cleaning_up_after_a_step_is_a_step() -> None:
    """GitHub opens no group for it."""
    text = (
        b"2026-03-02T12:00:00.1Z a\n2026-03-02T12:00:01.1Z last words\n2026-03-02T12:00:01.2Z Post job cleanup.\n"
        b"2026-03-02T12:00:01.3Z x\n"
    )
    moments = [datetime(2026, 3, 2, 12, 0, second, tzinfo=UTC) for second in (0, 1)]
    assert _opened(text).step_lines([StepStart("any", moment) for moment in moments]) == [1, 3]


def test_of_groups_that_begin_with_one_line_the_outer_is_first() -> None:
    both = "section_start:1:a\r\x1b[0Ksection_start:1:b\r\x1b[0KBoth"
    text = f"{both}\nx\nsection_end:2:b\r\x1b[0K\ny\nsection_end:2:a\r\x1b[0K"
    assert [(group.start, group.end) for group in _opened(text.encode()).groups] == [(1, 5), (1, 3)]


def test_a_part_that_hardly_compresses_is_read_in_several_pieces() -> None:
    chance = random.Random(1)
    lines = [f"{chance.getrandbits(4_000):x}" for _ in range(400)]
    assert _opened("\n".join(lines).encode()).lines(1, 400) == lines
