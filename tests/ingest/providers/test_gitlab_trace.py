"""GitLab's traces: section markers become groups, whatever pieces they come in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.providers.gitlab.trace import LONGEST_LINE, Trace

CLEAR = b"\r\x1b[0K"


def text_of(*pieces: bytes) -> bytes:
    trace = Trace()
    return b"".join([*map(trace.feed, pieces), trace.end()])


@pytest.mark.parametrize(
    ("trace", "text"),
    [
        (b"", b""),
        (b"a\n\nb\n", b"a\n\nb\n"),
        (b"a\r\nb", b"a\nb\n"),
        (b"section_start:1560896352:get_sources" + CLEAR + b"Getting source\nok\n", b"##[group]Getting source\nok\n"),
        (b"section_start:1:a_b[collapsed=true]" + CLEAR + b"\n", b"##[group]a b\n"),
        (
            b"section_end:2:a" + CLEAR + b"section_start:2:b" + CLEAR + CLEAR + b"\x1b[36;1mStep\x1b[0;m\n",
            b"##[endgroup]\n##[group]\x1b[36;1mStep\x1b[0;m\n",
        ),
        (b"section_end:2:a" + CLEAR + b"\x1b[31mJob failed\n", b"##[endgroup]\n\x1b[31mJob failed\n"),
        (
            b"2026-03-02T12:00:00.123456Z 00O section_start:1:a" + CLEAR + b"A\n2026-03-02T12:00:01.1Z 00O par\n"
            b"2026-03-02T12:00:01.2Z 00O+tial\n2026-03-02T12:00:02.1Z 01E \n",
            b"2026-03-02T12:00:00.123456Z ##[group]A\n2026-03-02T12:00:01.1Z partial\n2026-03-02T12:00:02.1Z \n",
        ),
        (b"the words section_start:1:a are no marker\n", b"the words section_start:1:a are no marker\n"),
    ],
)
def test_a_trace_reads_so(trace: bytes, text: bytes) -> None:
    assert text_of(trace) == text


@given(
    st.lists(st.sampled_from([b"a", b"\n", b"\r", b"section_start:1:a" + CLEAR, b"section_end:2:a" + CLEAR, b"\xff"]))
)
def test_the_pieces_dont_matter(parts: list[bytes]) -> None:
    assert text_of(*parts) == text_of(b"".join(parts))


def test_a_line_without_end_is_passed_on_in_lines() -> None:
    trace = Trace()
    passed_on = [trace.feed(b"x" * LONGEST_LINE + b"yz"), trace.feed(b"end\n")]
    assert passed_on == [b"x" * LONGEST_LINE + b"yz", b"\nend"]
    assert trace.end() == b"\n"
