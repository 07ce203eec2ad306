"""Who hears of which alert."""

from typing import Any

import pytest

from core.alert_routes import Route, Routing
from core.errors import BadRequest

KNOWN = ("slack", "mail")
FACTS = {"severity": "warning", "pipeline_id": "p1", "repository": "acme/web", "branch": "main", "type": "slow_build"}


def heard(routing: Routing, **facts: str | None) -> list[str]:
    return routing.channels(FACTS | facts, KNOWN, "warning")


def test_without_routes_every_channel_hears_from_the_general_severity_on() -> None:
    assert heard(Routing()) == ["slack", "mail"]
    assert heard(Routing(), severity="info") == []


def test_a_channel_may_have_its_own_severity() -> None:
    routing = Routing.read({"least": {"slack": "critical", "mail": "info"}}, KNOWN)
    assert heard(routing) == ["mail"]
    assert heard(routing, severity="info") == ["mail"]
    assert heard(routing, severity="critical") == ["slack", "mail"]


def test_the_first_route_that_matches_decides() -> None:
    nobody = {"repository": "acme/*", "branch": "release-*", "channels": []}
    routing = Routing.read({"routes": [nobody, {"repository": "acme/*", "channels": ["mail"]}]}, KNOWN)
    assert heard(routing) == ["mail"]
    assert heard(routing, branch="release-1") == []
    assert heard(routing, branch=None) == ["mail"]
    assert heard(routing, repository="other/web") == ["slack", "mail"]


def test_a_route_for_one_pipeline_or_type() -> None:
    assert heard(Routing(routes=(Route(("mail",), pipeline_id="p1"),))) == ["mail"]
    assert heard(Routing(routes=(Route(("mail",), pipeline_id="p2"),))) == ["slack", "mail"]
    assert heard(Routing(routes=(Route(("slack",), type="slow_build"),))) == ["slack"]


@pytest.mark.parametrize(
    ("stored", "names"),
    [
        ({"least": {"slack": "loud"}}, "least.slack"),
        ({"least": {"pager": "info"}}, "pager"),
        ({"routes": [{"channels": ["pager"]}]}, "routes.0..channels"),
        ({"routes": [{"chanels": ["mail"]}]}, "routes.0..chanels"),
        ({"routes": [{"channels": "mail"}]}, "routes.0..channels"),
        ({"routes": [{"channels": ["mail"], "branch": 7}]}, "routes.0..branch"),
    ],
)
def test_what_is_wrong_is_named(stored: dict[str, Any], names: str) -> None:
    with pytest.raises(BadRequest, match=names):
        Routing.read(stored, KNOWN)
