"""The character NUL: PostgreSQL's text can't hold it and some readers end at it, so it enters nowhere."""

import re

STAND_IN = "\N{REPLACEMENT CHARACTER}"

# `\u0000`, unless its backslash is itself escaped.
_ESCAPED = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def without_nul(json_text: str) -> str:
    """The same JSON with every NUL, escaped or not, replaced by U+FFFD."""
    if "\\u0000" in json_text:
        json_text = _ESCAPED.sub(rf"\1{STAND_IN}", json_text)
    return json_text.replace("\0", STAND_IN)


def has_nul(json_text: str) -> bool:
    """True if the JSON says NUL anywhere."""
    return "\0" in json_text or ("\\u0000" in json_text and bool(_ESCAPED.search(json_text)))
