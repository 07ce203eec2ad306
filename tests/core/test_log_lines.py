"""A line of a log as a page shows it: its colours and kinds, and that nothing of it gets lost or turns into markup."""

from core.logs.ansi import Segment, segments
from core.logs.clean import plain
from core.logs.shown import ShownLine, shown


def test_colours_of_16_of_256_and_true_ones() -> None:
    line = "\x1b[31mred\x1b[0m plain \x1b[38;5;208morange\x1b[0m\x1b[48;2;1;2;3m\x1b[1mdark\x1b[m"
    assert segments(line) == [
        Segment("red", "1"),
        Segment(" plain "),
        Segment("orange", "#ff8700"),
        Segment("dark", "", "#010203", "b"),
    ]


def test_bright_colours_and_looks_add_up_until_they_are_reset() -> None:
    assert segments("\x1b[1;4;95mA\x1b[22mB\x1b[7mC\x1b[39;24;27mD") == [
        Segment("A", "13", "", "bu"),
        Segment("B", "13", "", "u"),
        Segment("C", "13", "", "ur"),
        Segment("D"),
    ]


def test_the_first_sixteen_colours_are_the_readers_own_and_the_others_are_given() -> None:
    assert segments("\x1b[38;5;15mA\x1b[38;5;16mB\x1b[48;5;17mC") == [
        Segment("A", "15"),
        Segment("B", "#000000"),
        Segment("C", "#000000", "#00005f"),
    ]


def test_spaces_and_letters_at_the_end_of_a_line_stay() -> None:
    assert segments("MAX  \r") == [Segment("MAX  ")]
    assert segments("MAX\r") == [Segment("MAX")]
    assert segments("") == segments("\r") == []


def test_what_moves_the_cursor_or_sets_a_title_is_left_out() -> None:
    assert segments("\x1b]0;title\x07a\x1b[2Kb\x1b[1;5Hc\x1b]8;;https://x.example\x1b\\d\x1b]8;;\x1b\\") == [
        Segment("abcd")
    ]


def test_nothing_is_hidden_by_control_characters() -> None:
    whole = "".join(segment.text for segment in segments("hidden\rshown\x00nul\x08back\x1b"))
    assert whole == "hidden␍shown␀nul␈back␛"
    assert segments("text\r") == [Segment("text")]


def test_markup_stays_text() -> None:
    line = "<img src=x onerror=alert(1)> [red]not rich[/red] **not bold**"
    assert segments(line) == [Segment(line)]


def test_ten_thousand_changes_of_colour_in_one_line_are_cut_where_a_line_ends() -> None:
    found = shown("\x1b[31mx\x1b[0m" * 10_000)
    assert found.more == 96_000
    assert {segment.colour for segment in found.segments} == {"1"}


def test_a_line_of_453_kilobytes_is_shown_in_part() -> None:
    found = shown("y" * 453_000)
    assert (len(found.segments[0].text), found.more) == (4_000, 449_000)


def test_a_failure_is_marked_where_the_ci_system_marked_none() -> None:
    assert shown("src/a.cpp:1:2: error: no").kind == "error"
    assert shown("2026-03-02T12:00:00.1Z ##[warning]old").kind == "warning"
    assert shown("make: *** Waiting for unfinished jobs....").kind == "error", "just worth it"
    assert shown("all 9 passed, 0 errors").kind == ""


def test_a_short_line_is_shown_whole_with_its_time() -> None:
    assert shown("2026-03-02T12:00:00.1Z hello") == ShownLine("2026-03-02T12:00:00.1Z", "", [Segment("hello")], 0)


def test_the_words_of_a_line_keep_their_indent_and_lose_what_cannot_be_read() -> None:
    assert plain("  a\x00b\x07\tc \t\x08 ") == "  ab\tc"
    assert plain("2026-03-02T12:00:00Z 2026-03-02T12:00:01Z twice") == "2026-03-02T12:00:01Z twice"
