"""What a message says, in the words that every channel shares. Pure: facts in, texts out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.alert_groups import Queued
from core.alert_routes import RANK

COLOURS = {"critical": "#c62828", "warning": "#ef6c00", "info": "#1565c0", "resolved": "#2e7d32"}
FLAPPING = "This alert comes and goes: further messages about it are held until an hour has passed."
# Alerts that a message tells whole; the others of a large group are one line each.
IN_FULL = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """One alert of a message: its lines (name, value), where to look, and why the run failed as far as it is known."""

    lines: tuple[tuple[str, str], ...]
    run_link: str | None
    alert_link: str | None
    excerpt: str | None
    run_words: str = "Open the run"

    @property
    def short(self) -> str:
        """One line: `CI failed on main (acme/web)`."""
        values = dict(self.lines)
        return f"{values.get('Message', '')} ({values.get('Repository', '')})"


@dataclass(frozen=True, slots=True)
class Message:
    """One message about one or more alerts of one kind. `headline` says what they have in common."""

    id: str
    subject: str
    headline: str
    colour: str
    severity: str
    is_over: bool
    entries: tuple[Entry, ...]

    @property
    def in_full(self) -> tuple[Entry, ...]:
        return self.entries[:IN_FULL]

    @property
    def in_short(self) -> tuple[Entry, ...]:
        return self.entries[IN_FULL:]


def message_of(queued: Sequence[Queued], frontend: str) -> Message:
    """One message of one or more queued ones of the same kind, the most severe first."""
    is_over = queued[0].kind == "resolved"
    facts = sorted((item.facts for item in queued), key=lambda fact: -_rank(fact))
    severity = str(facts[0].get("severity", "info"))
    label = "RESOLVED" if is_over else severity.upper()
    if len(facts) == 1:
        subject = f"[{label}] {facts[0].get('type')}: {facts[0].get('pipeline')}"
    else:
        subject = f"[{label}] {len(facts)} alerts: {_where(facts)}"
    return Message(
        id=queued[0].id,
        subject=_one_line(subject),
        headline=_headline(facts) if len(facts) > 1 else "",
        colour=COLOURS["resolved" if is_over else severity],
        severity=severity,
        is_over=is_over,
        entries=tuple(_entry(fact, frontend, is_over=is_over) for fact in facts),
    )


def _rank(fact: dict[str, Any]) -> int:
    return RANK.get(str(fact.get("severity")), 0)


def _where(facts: Sequence[dict[str, Any]]) -> str:
    repositories = list(dict.fromkeys(str(fact.get("repository")) for fact in facts))
    return repositories[0] if len(repositories) == 1 else f"{len(repositories)} repositories"


def _headline(facts: Sequence[dict[str, Any]]) -> str:
    """What all alerts of a message share, which is where a common cause would be looked for."""
    shared = [
        f"{name} {value}"
        for name, key, shorten in (
            ("CI system", "provider", str),
            ("commit", "head_sha", lambda sha: str(sha)[:7]),
            ("author", "commit_author", str),
            ("first error", "excerpt", lambda text: str(text).split("\n", 1)[0][:160]),
        )
        if (values := {shorten(fact.get(key)) for fact in facts if fact.get(key)})
        and len(values) == 1
        and all(fact.get(key) for fact in facts)
        for value in values
    ]
    return _one_line(f"All have in common: {'; '.join(shared)}.") if shared else ""


def _entry(fact: dict[str, Any], frontend: str, *, is_over: bool) -> Entry:
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
        ("Lasted", _lasted(fact) if is_over else ""),
        ("Note", FLAPPING if fact.get("is_flapping") else ""),
    ]
    build, alert = str(fact.get("build_id") or ""), str(fact.get("alert_id") or "")
    return Entry(
        lines=tuple((name, _one_line(value)) for name, value in lines if value),
        run_link=f"{frontend}/run?id={build}" if build else None,
        alert_link=f"{frontend}/alert?id={alert}" if alert else None,
        excerpt=clean(str(fact["excerpt"])) if fact.get("excerpt") else None,
    )


def _lasted(fact: dict[str, Any]) -> str:
    """How long an alert was open; the facts went through JSON, so times are texts."""
    begun, ended = fact.get("created_at"), fact.get("resolved_at")
    if not begun or not ended:
        return ""
    minutes = max(0, round((datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds() / 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min" if hours < 24 else f"{hours // 24} d {hours % 24:02d} h"


def _one_line(text: str) -> str:
    return clean(" ".join(text.split()))[:500]


def clean(text: str) -> str:
    """Without halves of characters, which no channel could send."""
    return text.encode("utf-8", "replace").decode()
