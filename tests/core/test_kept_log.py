"""What is kept of a log of any size, fed in any pieces."""

import gzip

import pytest

from core.logs.excerpt import excerpt_of
from core.logs.keep import BLOCK, KeptLog

LINES = [f"line {number:03d}" for number in range(100)]
WHOLE = "".join(f"{line}\n" for line in LINES).encode()


def kept_of(*pieces: bytes, limit: int) -> KeptLog:
    kept = KeptLog(limit)
    for piece in pieces:
        kept.feed(piece)
    return kept


def test_the_middle_of_a_long_log_is_left_out() -> None:
    kept = KeptLog(100_000)
    for number in range(100_000):
        kept.feed(f"line {number}\n".encode())
    text = "\n".join(kept)
    assert kept.is_cut
    assert len(text) < 120_000
    assert text.startswith("line 0\n")
    assert text.endswith("line 99999\n")
    assert excerpt_of(kept) is None


@pytest.mark.parametrize("length", [1, 7, 9, 300, 900])
def test_a_log_of_just_the_limit_is_whole_in_whatever_pieces_it_comes(length: int) -> None:
    kept = kept_of(*(WHOLE[at : at + length] for at in range(0, 900, length)), limit=900)
    assert (kept.size, kept.is_cut) == (900, False)
    assert list(kept) == list(kept) == [*LINES, ""]


@pytest.mark.parametrize(("limit", "first", "last"), [(360, 10, 29), (361, 10, 30), (364, 10, 30), (400, 11, 33)])
def test_a_quarter_is_kept_of_the_head_and_the_rest_of_the_tail_in_whole_lines(
    limit: int, first: int, last: int
) -> None:
    """Lines of nine bytes in pieces of nine: what may be torn at the hole goes, and what is missing is counted."""
    kept = kept_of(*(WHOLE[at : at + 9] for at in range(0, 900, 9)), limit=limit)
    assert kept.is_cut
    found = list(kept)
    hole = found.index(next(line for line in found if line.startswith("…")))
    assert found[:hole] == LINES[: len(found[:hole])]
    assert found[hole + 1 :] == [*LINES[101 - len(found[hole + 1 :]) :], ""]
    assert found[hole] == f"… {900 - 9 * (len(found) - 2):,} bytes were left out here …"
    assert (hole, len(found) - hole - 2) == (first, last)


def test_a_hole_of_thousands_is_written_with_a_comma() -> None:
    found = list(kept_of(*[b"x" * 99 + b"\n"] * 100, limit=1_000))
    assert [line for line in found if "left out" in line] == ["… 9,100 bytes were left out here …"]


def test_lines_longer_than_the_limit_are_cut_where_it_is() -> None:
    kept = kept_of(*[b"a" * 50] * 10, limit=100)
    assert list(kept) == ["a" * 25, "… 375 bytes were left out here …", "a" * 100]


def test_pieces_that_no_line_ends_in_belong_to_the_line_before_the_first_whole_one() -> None:
    kept = kept_of(b"first\n" + b"a" * 34, *[b"b" * 20] * 3, b"b\nlast\nend", limit=80)
    assert list(kept)[-2:] == ["last", "end"]
    assert list(kept)[:1] == ["first"]
    assert list(kept)[1:-2] == [f"… {kept.size - 6 - 8:,} bytes were left out here …"]


def test_a_line_in_several_pieces_is_one_line() -> None:
    kept = kept_of(b"\xef\xbb", b"\xbfone, ", b"two\r", b"\n\xef\xbb\xbfnext \xff", limit=1_000)
    assert list(kept) == ["one, two", "\ufeffnext \N{REPLACEMENT CHARACTER}"]


def test_it_is_packed_in_members_that_end_with_a_line() -> None:
    """Each is readable alone; the whole is what any gunzip makes of it."""
    long = b"y" * (BLOCK - 1) + b"\n"
    packed = kept_of(long, b"z\n", limit=10 * BLOCK).packed()
    assert gzip.decompress(packed) == long + b"z\n"
    second = packed.index(b"\x1f\x8b\x08", 3)
    assert gzip.decompress(packed[:second]) == long
    just_less = kept_of(long[1:], b"z\n", limit=10 * BLOCK).packed()
    second = just_less.index(b"\x1f\x8b\x08", 3)
    assert gzip.decompress(just_less[:second]) == long[1:] + b"z\n", "a member takes lines until it has so many bytes"


def test_a_log_of_one_line_loses_its_byte_order_mark_too() -> None:
    assert list(kept_of(b"\xef\xbb\xbfone", limit=100)) == ["one"]
