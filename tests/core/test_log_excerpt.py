"""The few lines that say why: of the tools that builds run, and of recorded logs."""

import os
from pathlib import Path

import pytest

from core.logs.clean import plain
from core.logs.excerpt import MOST_LINES, excerpt_of
from core.logs.patterns import pattern_of

# Logs in which a person marked the reason. RECORDED_PAYLOADS names a folder of logs recorded by others.
MARK = "#=MATCH=# "
OWN = Path(__file__).parent.parent / "fixtures" / "logs"
FOLDER = Path(os.environ["RECORDED_PAYLOADS"]) / "logs" if "RECORDED_PAYLOADS" in os.environ else OWN
RECORDED = sorted(path for path in FOLDER.rglob("*.txt") if MARK in path.read_text("utf-8", "replace"))
END = "##[error]Process completed with exit code 1."
NOISE = ["Downloading things", "42 passed, 0 failed, 0 errors", "checking error_handler.py ... PASSED"]
# What each tool prints, and what of it says why.
CASES = {
    "pytest": (["E       assert 1 == 2", "FAILED tests/test_a.py::test_b - assert 1 == 2"], "FAILED tests/test_a.py"),
    "python": (["Traceback (most recent call last):", '  File "a.py", line 1', "KeyError: 'total'"], "KeyError: "),
    "jest": (["FAIL src/a.test.ts", "  ● Cart › adds", "", "    expect(received).toBe(expected)"], "● Cart › adds"),
    "node": (["Error: Cannot find module 'left-pad'", "    at Module.load"], "Cannot find module"),
    "tsc": (["src/a.ts(3,4): error TS2322: Type 'x'"], "error TS2322"),
    "go": (["--- FAIL: TestPay (0.01s)", "    pay_test.go:9: got 1, want 2", "FAIL\tacme/pay"], "got 1, want 2"),
    "gcc": (["src/a.cpp:10:4: error: expected ';'", "make: *** [Makefile:3: all] Error 1"], "expected ';'"),
    "rustc": (["error[E0308]: mismatched types", "  --> src/a.rs:3:4"], "E0308"),
    "maven": (["[ERROR] /src/A.java:[3,4] cannot find symbol", "[INFO] BUILD FAILURE"], "cannot find symbol"),
    "gradle": (["* What went wrong:", "Execution failed for task ':app:test'."], "Execution failed for task"),
    "npm": (["npm ERR! code ERESOLVE", "npm ERR! could not resolve dependency"], "ERESOLVE"),
    "disk": (["fatal: write error: No space left on device"], "No space left"),
    "terraform": (["│ Error: Error acquiring the state lock"], "state lock"),
    "eslint": (["  3:4  error  'x' is never used  no-unused-vars"], "never used"),
    "docker": (["#12 ERROR: process did not complete successfully: exit code: 2"], "#12 ERROR"),
}  # fmt: skip


@pytest.mark.parametrize("tool", CASES)
def test_what_a_tool_prints_is_found_among_noise(tool: str) -> None:
    lines, says = CASES[tool]
    found = excerpt_of([*NOISE, *lines, END])
    assert found
    assert says in found.text
    assert "PASSED" not in found.text
    assert len(NOISE) < found.first_line <= len(NOISE) + len(lines)


def test_where_no_pattern_says_why_the_last_words_before_the_end_do() -> None:
    found = excerpt_of(
        ["Checking the size", "", "This change has 3174 lines, which is too much", "", END, "Post job cleanup."]
    )
    assert found
    assert found.text.split("\n") == ["Checking the size", "This change has 3174 lines, which is too much", END]


def test_the_script_that_a_step_echoes_is_no_failure() -> None:
    lines = [
        "##[group]Run make",
        "\x1b[36;1mecho 'error: never said' && exit 1\x1b[0m",
        "##[endgroup]",
        "all is well",
        END,
    ]
    found = excerpt_of(lines)
    assert found
    assert "never said" not in found.text


def test_a_log_of_a_success_has_no_excerpt() -> None:
    assert excerpt_of(NOISE) is None
    assert excerpt_of([""]) is None


def test_ten_thousand_errors_make_a_short_excerpt_that_begins_with_the_first() -> None:
    found = excerpt_of([f"src/a.c:{number}:1: error: broken" for number in range(10_000)] + [END])
    assert found
    assert found.first_line == 1
    assert len(found.text.split("\n")) <= MOST_LINES


def test_colours_and_time_stamps_do_not_hide_a_pattern() -> None:
    line = "2026-03-02T12:00:01.1234567Z \x1b[1m\x1b[31msrc/a.cpp:10:4: \x1b[0m\x1b[31merror: \x1b[0mexpected ';'"
    assert plain(line) == "src/a.cpp:10:4: error: expected ';'"
    assert pattern_of(plain(line))
    assert plain("2024-05-22T12:43:46.962646Z 00O+done") == "done"


def test_the_line_that_a_person_marked_as_the_reason_is_in_the_excerpt() -> None:
    missed = []
    for path in RECORDED:
        marked = path.read_text("utf-8", "replace").replace("‹", "").replace("›", "").split("\n")
        reason = next(line for line in marked if line.startswith(MARK)).removeprefix(MARK)
        found = excerpt_of([line.removeprefix(MARK) for line in marked])
        if not found or plain(reason).strip()[:300] not in found.text:
            missed.append(path.name)
    assert RECORDED
    assert missed == []


def _shown(*lines: str) -> list[str]:
    found = excerpt_of(lines)
    assert found
    return found.text.split("\n")


def test_lines_that_begin_so_need_no_word_to_tell() -> None:
    assert pattern_of("E       assert 1 == 2")
    assert pattern_of("all is well") is None


def test_words_of_no_failure_count_only_where_a_pattern_is_not_sure() -> None:
    assert pattern_of("error: boom")
    assert pattern_of("error: boom, 0 errors") is None
    assert pattern_of("ERROR: Job failed: exit code 1 (see the error log)"), "it says that the job ended"
    assert pattern_of("##[error]see the error log"), "the runner itself marked it"


def test_what_follows_a_telling_line_and_belongs_to_it_is_shown_and_no_more() -> None:
    assert _shown("src/a.c:1:1: error: one", "  its code", "other words", END) == [
        "src/a.c:1:1: error: one", "  its code", END
    ]  # fmt: skip


def test_an_excerpt_has_twelve_lines_the_most_telling_first_wherever_they_stand() -> None:
    words = [f"this part {number} failed." for number in range(1, 21)]
    assert _shown(*words, END) == [*words[:11], END]
    broken = [line for number in range(9) for line in (f"src/{number}.c:1:1: error: x", f"  code {number}")]
    assert _shown(*broken, END) == [*broken[:11], END]


def test_what_tells_much_less_than_the_best_is_left_out() -> None:
    """90 names the cause; what is worth 52 is then no news, and beside what is worth 80 it is."""
    assert _shown("this failed.", "src/a.c:1:1: error: x", "code", END) == ["src/a.c:1:1: error: x", "code", END]
    assert _shown("this failed.", "KeyError: 'total'", END) == ["this failed.", "KeyError: 'total'", END]


def test_the_runners_own_words_and_empty_lines_are_not_shown() -> None:
    assert _shown("one", "", "Post job cleanup.", "##[group]x", "##[endgroup]", "two", END) == ["two", END]
    assert _shown("src/a.c:1:1: error: x", "Post job cleanup.", END) == ["src/a.c:1:1: error: x", END]
    assert _shown("src/a.c:1:1: error: x", "   ", END) == ["src/a.c:1:1: error: x", END]
    assert _shown(END) == [END]


def test_five_last_words_before_the_end_are_shown() -> None:
    assert _shown(*[f"word {number}" for number in range(9)], END) == [f"word {number}" for number in range(4, 9)] + [
        END
    ]
