"""State for other programs' eyes: build lights (cctray.xml) and badges (SVG). Texts in them come from outside."""

import html
import re
from typing import Any
from xml.etree import ElementTree

from fastapi import APIRouter, Response

from core.errors import NotFound
from ingest.api.dependencies import Running
from ingest.api.frames import records
from ingest.api.validators import last_modified

lights = APIRouter(tags=["lights"])
badges = APIRouter(tags=["lights"])

# XML can't say these at all: https://www.w3.org/TR/xml/#charsets
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# The vocabulary of https://cctray.org/v1/
CCTRAY_STATUS = {"success": "Success", "failed": "Failure", None: "Unknown"}
BADGE = {"success": ("passing", "#00805f"), "failed": ("failing", "#c24e00"), None: ("unknown", "#6b7280")}
LONGEST_LABEL = 40


@lights.get(
    "/cctray.xml",
    response_class=Response,
    responses={200: {"content": {"application/xml": {"schema": {"type": "string"}}}}},
    summary="All pipelines for CCMenu and its kind",
)
def cctray(service: Running) -> Response:
    rows = records(service.reader.frame("pipeline_states", id=None))
    projects = ElementTree.Element("Projects")
    for row in rows:
        ElementTree.SubElement(projects, "Project", _project(row))
    answer = Response(ElementTree.tostring(projects, "utf-8", xml_declaration=True), media_type="application/xml")
    last_modified(answer, (row["finished_at"] for row in rows))
    return answer


def _project(row: dict[str, Any]) -> dict[str, str]:
    facts = {
        "name": f"{row['repository']} :: {row['pipeline']}",
        "activity": "Building" if row["is_running"] else "Sleeping",
        "lastBuildStatus": CCTRAY_STATUS[row["status"]],
        "lastBuildLabel": "" if row["run_number"] is None else str(int(row["run_number"])),
        "lastBuildTime": row["finished_at"].strftime("%Y-%m-%dT%H:%M:%SZ") if row["finished_at"] else "",
        "webUrl": _address(row["url"]) or _address(row["repository_url"]),
    }
    required = ("name", "activity", "lastBuildStatus", "webUrl")
    return {name: in_xml(text) for name, text in facts.items() if text or name in required}


def _address(url: str | None) -> str:
    """Only what a browser may open: no `javascript:` in somebody's menu bar."""
    return url if url and re.match(r"https?://", url) else ""


def in_xml(text: str) -> str:
    return NOT_IN_XML.sub("\ufffd", text)


@badges.get(
    "/badge/{pipeline_id}.svg",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}}},
    summary="A pipeline's state as a badge",
)
def badge(service: Running, pipeline_id: str) -> Response:
    """Of the newest finished run on the default branch."""
    rows = records(service.reader.frame("pipeline_states", id=pipeline_id))
    if not rows:
        raise NotFound("There is no such pipeline.", details={"id": pipeline_id})
    word, colour = BADGE[rows[0]["status"]]
    # A proxy that shows README pictures keeps them for hours unless told not to.
    return Response(_svg(rows[0]["pipeline"], word, colour), 200, {"Cache-Control": "no-cache"}, "image/svg+xml")


def _svg(label: str, word: str, colour: str) -> str:
    label = in_xml(label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…")
    left, right = 12 + 7 * len(label), 12 + 7 * len(word)
    safe = html.escape(label)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" \
aria-label="{safe}: {word}"><title>{safe}: {word}</title>
<clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#3b4252"/>\
<rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{left / 2}" y="14" textLength="{left - 10}">{safe}</text>
<text x="{left + right / 2}" y="14" textLength="{right - 10}">{word}</text></g></svg>
"""
