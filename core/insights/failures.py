"""Failure clusters: the line of an excerpt that says most, its template, and the failures that share it.

Masking (numbers, paths, addresses, digests) is a pure function of one line. Templates are mined by Drain (He et al.,
ICWS 2017, https://doi.org/10.1109/ICWS.2017.13; library drain3-improved, the kept-up fork of drain3) from the different
masked lines in sorted order, so that neither the order nor the repetition of failures changes the clusters.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

import pandas as pd
from drain3.drain import Drain

from core.logs.patterns import ENDED, pattern_of

# Raise it when `telling_line` or `masked` change, so that what is kept is made anew.
RULES = 1
LONGEST = 300
MOST_MASKS = 5_000
MOST_OCCURRENCES = 50_000
# How alike two lines of equal length must be to be one template: the share of equal words.
SIMILARITY = 0.55
ANY = "<*>"

_MASKS = (
    (re.compile(r"^(?:\[?\d{4}-\d\d-\d\d[T ])?\[?\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?:?\s+"), ""),
    (re.compile(r"^#?\d+(?:\.\d+)?\s+(?=\D)"), ""),  # the clock of a docker build
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"), "<uuid>"),
    (re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>()]+", re.IGNORECASE), "<url>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<ip>"),
    (re.compile(r"(?:\b[A-Za-z]:\\|(?<![\w.@])\.{0,2}/)[\w.@+~-]+(?:[/\\][\w.@+~-]+)*"), "<path>"),
    (re.compile(r"\b[\w.-]+(?:/[\w.@+~-]+)+\.\w{1,5}\b"), "<path>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b|\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b"), "<hex>"),
    (re.compile(r"(?<![A-Za-z0-9])\d+(?:[.,]\d+)*"), "<n>"),
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Failures with one template. `masks` are the ids of its masked lines, `line` an example.

    Of all time: `first_at` and `first_job`. Of the window: `jobs`, `runs`, `pipelines` (counts), `last_at`, `last_job`.
    `new` says that it was never seen before the window.
    """

    id: str
    template: str
    line: str
    masks: tuple[str, ...]
    jobs: int
    runs: int
    pipelines: int
    first_at: datetime
    first_job: str
    last_at: datetime
    last_job: str
    new: bool


def telling_line(excerpt: str) -> str:
    """The line of an excerpt that tells most about the cause: the first of the greatest worth, else the last words."""
    lines = [line for line in excerpt.splitlines() if line.strip()]
    found = [(pattern.worth, -place) for place, line in enumerate(lines) if (pattern := pattern_of(line))]
    worth, place = max(found, default=(0, 0))
    if worth > ENDED:
        return _words(lines[-place])
    words = [line for line in lines if not ((pattern := pattern_of(line)) and pattern.worth <= ENDED)]
    return _words([*lines, *words][-1]) if lines else ""


def _words(line: str) -> str:
    """A line without the runner's mark and the frame that some tools draw around an error."""
    return line.strip(" \t│╷╵").removeprefix("##[error]").strip()[:LONGEST]


def masked(line: str) -> str:
    """A line without what differs from run to run. Pure, so the same whenever and wherever it is done."""
    for pattern, word in _MASKS:
        line = pattern.sub(word, line)
    return " ".join(line.split()) or ANY


def mask_id(mask: str) -> str:
    """A short name of a masked line."""
    return blake2b(mask.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def templates(masks: pd.DataFrame) -> pd.Series:
    """The template of each masked line: a series over `mask_id`. `masks`: the rows of failure_masks."""
    drain = Drain(depth=4, sim_th=SIMILARITY, max_children=200, param_str=ANY, parametrize_numeric_tokens=False)
    found = {mask: drain.add_log_message(mask)[0] for mask in sorted(set(masks["masked"]))}
    named = {mask: cluster.get_template() for mask, cluster in found.items()}
    return pd.Series([named[mask] for mask in masks["masked"]], index=masks["mask_id"], dtype=str)


def clusters(occurrences: pd.DataFrame, masks: pd.DataFrame, since: datetime) -> list[Cluster]:
    """The clusters that failed since a UTC time, those of the most runs first.

    `occurrences`, `masks`: the rows of failure_occurrences and failure_masks.
    """
    of = templates(masks)
    rows = occurrences.assign(template=occurrences["mask_id"].map(of)).dropna(subset=["template"])
    lines = masks.sort_values("line").assign(template=masks["mask_id"].map(of)).groupby("template")["line"].first()
    members = {name: tuple(sorted(ids)) for name, ids in masks.groupby(masks["mask_id"].map(of))["mask_id"]}
    found = []
    for template, group in rows.sort_values(["failed_at", "job_id"]).groupby("template", sort=False):
        recent = group[group["failed_at"] >= since]
        if recent.empty:
            continue
        first, last = group.iloc[0], recent.iloc[-1]
        found.append(
            Cluster(
                id=mask_id(str(template)),
                template=str(template),
                line=str(lines[template]),
                masks=members[template],
                jobs=len(recent),
                runs=int(recent["run_key"].nunique()),
                pipelines=int(recent["pipeline_id"].nunique()),
                first_at=first["failed_at"].to_pydatetime(),
                first_job=str(first["job_id"]),
                last_at=last["failed_at"].to_pydatetime(),
                last_job=str(last["job_id"]),
                new=bool(first["failed_at"] >= since),
            )
        )
    return sorted(found, key=lambda cluster: (-cluster.runs, -cluster.pipelines, cluster.template))
