"""NUL enters nowhere."""

import pytest

from core.nul import has_nul, without_nul


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (r'{"a": "x\u0000y"}', '{"a": "x\N{REPLACEMENT CHARACTER}y"}'),
        ("a\0b\0", "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"),
        (r"\u0000\u0000", "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"),
        (r"\\\u0000", "\\\\\N{REPLACEMENT CHARACTER}"),
        (r"\u0000" + "\0", "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_nul_is_replaced_however_it_is_written(given: str, kept: str) -> None:
    assert without_nul(given) == kept
    assert has_nul(given)
    assert not has_nul(kept)


@pytest.mark.parametrize(
    "given", ["", "plain", r"\\u0000 is a backslash and a word", r"\u00001".replace("0000", "0001")]
)
def test_what_holds_no_nul_stays_as_it_is(given: str) -> None:
    assert without_nul(given) == given
    assert not has_nul(given)
