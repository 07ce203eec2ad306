"""The weekly digest as a message of the channels."""

from typing import Any

from ingest.alerting.messages import COLOURS, Entry, Message, clean

LONGEST = 600


def digest_message(message_id: str, facts: dict[str, Any], frontend: str) -> Message:
    """`facts`: those of `core.insights.digest.Digest`. Each part of it is an entry, its first page the link."""
    return Message(
        id=message_id,
        subject=clean(str(facts["title"])),
        headline="",
        colour=COLOURS["info"],
        severity="info",
        is_over=False,
        entries=tuple(_entry(section, frontend) for section in facts["sections"]),
    )


def _entry(section: dict[str, Any], frontend: str) -> Entry:
    lines = section["lines"]
    path = next((line["path"] for line in lines if line["path"]), None)
    return Entry(
        lines=tuple((_name(section, place), clean(line["text"])[:LONGEST]) for place, line in enumerate(lines)),
        run_link=f"{frontend}/{path}" if path else None,
        alert_link=None,
        excerpt=None,
        run_words="Open the page",
    )


def _name(section: dict[str, Any], place: int) -> str:
    """The first line names its part; the others of the part to fix are numbered."""
    if section["name"] == "Fix first":
        return f"{section['name']} {place + 1}"
    return str(section["name"])


def as_text(facts: dict[str, Any]) -> str:
    """For a terminal."""
    parts = [
        "\n".join([str(section["name"]), *(f"  - {line['text']}" for line in section["lines"])])
        for section in facts["sections"]
    ]
    return "\n\n".join([str(facts["title"]), *parts])
