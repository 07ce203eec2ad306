"""How alerts are made and who hears of them: thresholds of the rules, severities and routes of channels."""

from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from core.access import Role
from core.alert_preview import preview, read_history
from core.alert_routes import Routing
from core.alerts import Severity
from core.pipeline_rules import Rules
from core.store import alerts as store
from core.store.stored_settings import put, stored_json
from ingest.api.dependencies import Calling, Running, needs
from ingest.api.models import ErrorBody

router = APIRouter(tags=["alerts"])

RULES_EXAMPLE: dict[str, Any] = {"default": {"failure_rate": 0.3}, "pipelines": {"gh-1-2": {"slow_seconds": 900}}}


class RuleBook(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [RULES_EXAMPLE]})

    default: dict[str, float | None] = Field(default_factory=dict, description="Thresholds of all pipelines.")
    pipelines: dict[str, dict[str, float | None]] = Field(
        default_factory=dict, description="By pipeline id: what differs from the default.", max_length=10_000
    )


class RouteBook(BaseModel):
    model_config = ConfigDict(extra="forbid")

    least: dict[str, Severity] = Field(default_factory=dict, description="Lowest severity, by channel.")
    routes: list[dict[str, Any]] = Field(
        default_factory=list,
        max_length=1000,
        description="The first that matches an alert decides its channels: `channels` with any of "
        "`pipeline_id`, `repository`, `branch`, `type`.",
        examples=[[{"repository": "acme/*", "channels": ["email"]}]],
    )


class PreviewRequest(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"rules": RULES_EXAMPLE, "days": 30}]})

    rules: RuleBook | None = Field(None, description="The thresholds to try; without, those that hold.")
    pipeline_id: str | None = Field(None, description="Only this pipeline.")
    days: int = Field(30, ge=1, le=90, strict=True)
    limit: int = Field(200, ge=0, le=10_000, strict=True, description="Alerts in the answer, the newest ones.")


class WouldBeAlert(BaseModel):
    pipeline_id: str
    pipeline: str
    type: str
    severity: Severity
    branch: str | None
    message: str
    attempt_id: str | None
    raised_at: datetime
    resolved_at: datetime | None


class PreviewAnswer(BaseModel):
    days: int
    total: int
    by_type: dict[str, int]
    present_total: int = Field(description="With the thresholds that hold now.")
    alerts: list[WouldBeAlert]


@router.get("/alert-rules", response_model=RuleBook, summary="Thresholds of the alert rules")
def alert_rules(service: Running) -> RuleBook:
    """The thresholds of all pipelines, and those that single pipelines have of their own."""
    return _rule_book(stored_json(service.reader.frame, store.RULES))


@router.put(
    "/alert-rules",
    response_model=RuleBook,
    dependencies=[needs(Role.ADMIN)],
    responses={code: {"model": ErrorBody} for code in (400, 401, 403)},
    summary="Change the thresholds",
)
def change_alert_rules(service: Running, caller: Calling, asked: RuleBook) -> RuleBook:
    """Replace all thresholds; they hold from the next evaluation on. A name that is no threshold is refused."""
    stored = asked.model_dump()
    Rules.read(stored)
    now, text = datetime.now(UTC), orjson.dumps(stored).decode()
    service.writer.transact(lambda cursor: put(cursor, {store.RULES: text}, caller.name, now)).result()
    return _rule_book(stored)


@router.post(
    "/alert-rules/preview",
    response_model=PreviewAnswer,
    responses={code: {"model": ErrorBody} for code in (400, 401, 403)},
    summary="Try thresholds on the history",
)
def try_rules(service: Running, asked: PreviewRequest) -> PreviewAnswer:
    """Which alerts these thresholds would have raised in the last days, by the rules themselves. Changes nothing."""
    now = datetime.now(UTC)
    start = now - timedelta(days=asked.days)
    stored = stored_json(service.reader.frame, store.RULES)
    tried = Rules.read(asked.rules.model_dump() if asked.rules else stored)
    history = read_history(service.reader.frame, asked.pipeline_id, days=asked.days, now=now)
    found = preview(history, tried, start, now)
    return PreviewAnswer(
        days=asked.days,
        total=len(found),
        by_type=dict(Counter(alert.type for alert in found)),
        present_total=len(preview(history, Rules.read(stored), start, now)) if asked.rules else len(found),
        alerts=[WouldBeAlert.model_validate(alert, from_attributes=True) for alert in found[: asked.limit]],
    )


@router.get("/alert-routes", response_model=RouteBook, summary="Who hears of which alert")
def alert_routes(service: Running) -> RouteBook:
    """The severity thresholds of channels and the routes, as people set them."""
    return _route_book(Routing.read(stored_json(service.reader.frame, store.ROUTES)))


@router.put(
    "/alert-routes",
    response_model=RouteBook,
    dependencies=[needs(Role.ADMIN)],
    responses={code: {"model": ErrorBody} for code in (400, 401, 403)},
    summary="Change who hears of which alert",
)
def change_alert_routes(service: Running, caller: Calling, asked: RouteBook) -> RouteBook:
    """Replace thresholds and routes; they hold from the next alert on. An unknown channel or matcher is refused."""
    routing = Routing.read(asked.model_dump(), sorted(service.sender.channels))
    now, text = datetime.now(UTC), orjson.dumps(asked.model_dump()).decode()
    service.writer.transact(lambda cursor: put(cursor, {store.ROUTES: text}, caller.name, now)).result()
    return _route_book(routing)


def _route_book(routing: Routing) -> RouteBook:
    return RouteBook(least=routing.least, routes=[asdict(route) for route in routing.routes])


def _rule_book(stored: dict[str, Any]) -> RuleBook:
    """All of the default's thresholds, but only what a pipeline has of its own."""
    own: dict[str, Any] = stored.get("pipelines") or {}
    return RuleBook(default=asdict(Rules.read(stored).default), pipelines=own)
