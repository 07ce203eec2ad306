"""Who hears of which alert: a severity threshold for each channel, and routes for pipelines. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any, Protocol, get_args

from core.alerts import Severity
from core.errors import BadRequest

SEVERITIES: tuple[str, ...] = get_args(Severity)
RANK: dict[str, int] = {"info": 0, "warning": 1, "critical": 2}


class Matcher(Protocol):
    """What names alerts: None matches anything; repository and branch may be shell patterns (`acme/*`)."""

    @property
    def pipeline_id(self) -> str | None: ...
    @property
    def repository(self) -> str | None: ...
    @property
    def branch(self) -> str | None: ...
    @property
    def type(self) -> str | None: ...


def matches(matcher: Matcher, facts: Mapping[str, Any]) -> bool:
    """Whether an alert with these facts (pipeline_id, repository, branch, type) is meant."""
    patterns = [(matcher.repository, "repository"), (matcher.branch, "branch")]
    return (
        matcher.pipeline_id in (None, facts.get("pipeline_id"))
        and matcher.type in (None, facts.get("type"))
        and all(wanted is None or _fits(str(facts.get(name) or ""), wanted) for wanted, name in patterns)
    )


def _fits(value: str, wanted: str) -> bool:
    return value == wanted or fnmatchcase(value, wanted)


@dataclass(frozen=True, slots=True)
class Route:
    """A Matcher: alerts that match go to `channels` and nowhere else."""

    channels: tuple[str, ...]
    pipeline_id: str | None = None
    repository: str | None = None
    branch: str | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Routing:
    """`least`: the lowest severity that a channel hears of, where it differs from the general one."""

    least: dict[str, Severity] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()

    def channels(self, facts: Mapping[str, Any], known: Sequence[str], least: Severity) -> list[str]:
        """Those of the `known` channels that hear of an alert with these facts; the first matching route decides."""
        route = next((route for route in self.routes if matches(route, facts)), None)
        chosen = [name for name in known if route is None or name in route.channels]
        return [name for name in chosen if RANK[facts["severity"]] >= RANK[self.least.get(name, least)]]

    @classmethod
    def read(cls, stored: Mapping[str, Any], known: Sequence[str] | None = None) -> "Routing":
        """From `{"least": {channel: severity}, "routes": [{"channels": […], …}]}`. Raises BadRequest naming the field.

        With `known`, a channel of another name is refused.
        """
        least = dict(stored.get("least") or {})
        for name, severity in least.items():
            _check_channel(name, known, "least")
            if severity not in SEVERITIES:
                raise BadRequest(f"least.{name} must be one of {', '.join(SEVERITIES)}.")
        routes = stored.get("routes") or []
        return cls(least, tuple(_route(given, known, f"routes[{index}]") for index, given in enumerate(routes)))


def _route(given: Mapping[str, Any], known: Sequence[str] | None, place: str) -> Route:
    matchers = {name: value for name, value in given.items() if name != "channels"}
    allowed = [entry.name for entry in fields(Route) if entry.name != "channels"]
    for name in matchers:
        if name not in allowed:
            raise BadRequest(f"{place}.{name} is no matcher.", hint=f"Known: {', '.join(allowed)}.")
        if not isinstance(matchers[name], str | None):
            raise BadRequest(f"{place}.{name} must be a text.")
    channels = given.get("channels")
    if not isinstance(channels, list | tuple) or not all(isinstance(name, str) for name in channels):
        raise BadRequest(f"{place}.channels must be a list of channels; an empty one tells nobody.")
    for name in channels:
        _check_channel(name, known, f"{place}.channels")
    return Route(tuple(channels), **matchers)


def _check_channel(name: str, known: Sequence[str] | None, place: str) -> None:
    if known is not None and name not in known:
        configured = ", ".join(known) or "none"
        raise BadRequest(f"{place}: channel {name} is not configured.", hint=f"Configured: {configured}.")
