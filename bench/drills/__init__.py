"""Drills: what goes wrong in a life of this service is done to it on purpose, and what was acknowledged is counted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """What a drill did and found, as lines to print (`figures`), and what must not have happened (`problems`)."""

    figures: dict[str, str]
    problems: tuple[str, ...] = ()


def problem(words: str, *, if_: bool) -> tuple[str, ...]:
    """`words` as the one problem where it is one."""
    return (words,) if if_ else ()
