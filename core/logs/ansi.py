"""The colours of a line of a log: what the escape sequences of terminals say, as plain values, never as markup."""

import re
from dataclasses import dataclass

from rich.ansi import AnsiDecoder
from rich.color import Color
from rich.style import Style

# Titles and links that a terminal hides: `ESC ] … BEL`.
HIDDEN = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
# Control characters as the pictures that Unicode has of them: a reader sees that they are there.
PICTURES = {code: 0x2400 + code for code in range(0x20) if code != 0x09} | {0x7F: 0x2421}
# rich drops what a carriage return would overwrite on a terminal; here nothing is dropped.
BEFORE = str.maketrans({code: picture for code, picture in PICTURES.items() if code != 0x1B})
AFTER = str.maketrans({0x1B: PICTURES[0x1B]})
ATTRIBUTES = {"bold": "b", "dim": "d", "italic": "i", "underline": "u", "strike": "s", "reverse": "r"}


@dataclass(frozen=True, slots=True)
class Segment:
    """Text of one look. Colours: "" (the usual), "0" to "15" (of the palette) or "#rrggbb". `marks`: of "bdiusr"."""

    text: str
    colour: str = ""
    background: str = ""
    marks: str = ""


def segments(line: str) -> list[Segment]:
    """A line in the pieces of one look each; every line begins without colours."""
    text = HIDDEN.sub("", line.rstrip("\r")).translate(BEFORE)
    if "\x1b" not in text:
        return [Segment(text)] if text else []
    decoded = AnsiDecoder().decode_line(text)
    found: list[Segment] = []
    at = 0
    for span in decoded.spans:
        if span.start > at:
            found.append(Segment(decoded.plain[at : span.start].translate(AFTER)))
        style = span.style if isinstance(span.style, Style) else Style()
        found.append(_segment(decoded.plain[span.start : span.end].translate(AFTER), style))
        at = span.end
    if at < len(decoded.plain):
        found.append(Segment(decoded.plain[at:].translate(AFTER)))
    return [segment for segment in found if segment.text]


def _segment(text: str, style: Style) -> Segment:
    marks = "".join(letter for name, letter in ATTRIBUTES.items() if getattr(style, name))
    return Segment(text, _colour(style.color), _colour(style.bgcolor), marks)


def _colour(colour: Color | None) -> str:
    if colour is None or colour.is_default:
        return ""
    if colour.number is not None and colour.number < 16:
        return str(colour.number)
    return colour.get_truecolor().hex
