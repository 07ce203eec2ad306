"""What a message says, in the words that every channel shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.alert_routes import RANK
from core.store.outbox import Queued

COLOURS = {"critical": "#c62828", "warning": "#ef6c00", "info": "#1565c0", "resolved": "#2e7d32"}
FLAPPING = "This alert comes and goes: further messages about it are held until an hour has passed."


@dataclass(frozen=True, slots=True)
class Message:
    """One message about the alerts of one repository: subject, colour, and for each alert its lines (name, value)."""

    id: str
    subject: str
    colour: str
    severity: str
    alerts: tuple[tuple[tuple[str, str], ...], ...]
    links: tuple[str | None, ...]
    excerpts: tuple[str | None, ...]


def message_of(queued: Sequence[Queued], frontend: str) -> Message:
    """One message of one or more queued ones of the same kind and repository."""
    facts = [item.facts for item in queued]
    is_over = queued[0].kind == "resolved"
    severity = max((str(fact.get("severity", "info")) for fact in facts), key=lambda word: RANK.get(word, 0))
    label = "RESOLVED" if is_over else severity.upper()
    if len(facts) == 1:
        subject = f"[{label}] {facts[0].get('type')}: {facts[0].get('pipeline')}"
    else:
        subject = f"[{label}] {len(facts)} alerts: {facts[0].get('repository')}"
    return Message(
        id=queued[0].id,
        subject=_one_line(subject),
        colour=COLOURS["resolved" if is_over else severity],
        severity=severity,
        alerts=tuple(_lines(fact, is_over) for fact in facts),
        links=tuple(_link(fact, frontend) for fact in facts),
        excerpts=tuple(fact.get("excerpt") for fact in facts),
    )


def _lines(fact: dict[str, Any], is_over: bool) -> tuple[tuple[str, str], ...]:
    message = f"Recovered: {fact.get('message')}" if is_over else str(fact.get("message"))
    commit = str(fact.get("head_sha") or "")[:7]
    subject = str(fact.get("commit_message") or "").split("\n", 1)[0]
    lines = [
        ("Pipeline", str(fact.get("pipeline") or "")),
        ("Repository", str(fact.get("repository") or "")),
        ("Message", message),
        ("Branch", str(fact.get("branch") or "")),
        ("Commit", f"{commit} {subject}".strip()),
        ("Author", str(fact.get("commit_author") or "")),
        ("Note", FLAPPING if fact.get("is_flapping") else ""),
    ]
    return tuple((name, _one_line(value)) for name, value in lines if value)


def _link(fact: dict[str, Any], frontend: str) -> str | None:
    build = str(fact.get("build_id") or "")
    return f"{frontend}/run?id={build}" if build else None


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]
