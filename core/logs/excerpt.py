"""The few lines of a failed job's log that say why it failed."""

from collections.abc import Iterable
from dataclasses import dataclass

from core.logs.clean import plain
from core.logs.patterns import ENDED, pattern_of

MOST_LINES = 12
MOST_SPOTS = 400
LONGEST_LOOKED_AT = 2000
LONGEST_SHOWN = 400
# Where no pattern says why, the last words before the end do.
LAST_WORDS = 5
# GitHub shows a step's script and its environment in such a group, with whatever words they have.
SCRIPT = "##[group]Run "
# What the runner says between and after steps.
CLOSING = ("##[end-action", "##[start-action", "##[group]", "Post job cleanup", "Cleaning up orphan")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """`text`: the lines, without colours and time stamps. `first_line`: where the one that says most is, from 1."""

    text: str
    first_line: int


@dataclass(frozen=True, slots=True)
class _Spot:
    number: int
    worth: int
    after: int


def excerpt_of(lines: Iterable[str]) -> Excerpt | None:
    """The lines that say why. Reads `lines` twice; None where nothing tells of a failure."""
    spots, last_words = _spots(lines)
    if not spots:
        return None
    best = max(spot.worth for spot in spots)
    if best <= ENDED:
        spots = [_Spot(number, ENDED + 1, 0) for number in last_words] + spots[-1:]
        best = max(spot.worth for spot in spots)
    chosen = _chosen(spots, best)
    first = min(spot.number for spot in spots if spot.worth == best)
    words = [
        plain(line[:LONGEST_LOOKED_AT])[:LONGEST_SHOWN] for number, line in enumerate(lines, 1) if number in chosen
    ]
    # A step that is tried thrice says the same thrice.
    shown = dict.fromkeys(line for line in words if line.strip() and not line.startswith(CLOSING))
    return Excerpt("\n".join(shown), first)


def _spots(lines: Iterable[str]) -> tuple[list[_Spot], list[int]]:
    """Where a pattern fits, and the numbers of the last words before the step ended."""
    spots: list[_Spot] = []
    words: list[int] = []
    last_words: list[int] = []
    in_script = False
    for number, raw in enumerate(lines, 1):
        line = plain(raw[:LONGEST_LOOKED_AT])
        if line.startswith("##["):
            in_script = line.startswith(SCRIPT) or (in_script and not line.startswith("##[endgroup]"))
            if line.startswith("##[endgroup]"):
                words = []
        if in_script or not line:
            continue
        pattern = pattern_of(line)
        if pattern is None:
            if not line.startswith("##["):
                words = [*words[1 - LAST_WORDS :], number]
            continue
        if pattern.worth <= ENDED and words:
            last_words, words = words, []
        spots.append(_Spot(number, pattern.worth, pattern.after))
        if len(spots) > MOST_SPOTS:
            spots.remove(min(spots[MOST_SPOTS // 4 :], key=lambda spot: spot.worth))
    return spots, last_words


def _chosen(spots: list[_Spot], best: int) -> set[int]:
    """The numbers of the lines to show: the most telling first, with what belongs to them, and how it ended."""
    chosen: set[int] = set()
    ends = [spot.number for spot in spots if spot.worth <= ENDED]
    if ends:
        chosen.add(ends[-1])
    floor = max(ENDED + 1, best - 35)
    for spot in sorted(spots, key=lambda spot: (-spot.worth, spot.number)):
        if spot.worth < floor or len(chosen) >= MOST_LINES:
            break
        room = MOST_LINES - len(chosen)
        chosen.update(range(spot.number, spot.number + min(1 + spot.after, room)))
    return chosen
