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


def test_an_alert_of_no_branch_fits_no_pattern_that_asks_for_a_name() -> None:
    assert heard(Routing(routes=(Route(("mail",), branch="?*"),)), branch=None) == ["slack", "mail"]


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ({"least": {"slack": "loud"}}, "least.slack must be one of critical, warning, info."),
        ({"least": {"pager": "info"}}, "least: channel pager is not configured. Configured: slack, mail."),
        (
            {"routes": [{"channels": ["pager"]}]},
            "routes[0].channels: channel pager is not configured. Configured: slack, mail.",
        ),
        (
            {"routes": [{"chanels": ["mail"]}]},
            "routes[0].chanels is no matcher. Known: pipeline_id, repository, branch, type.",
        ),
        (
            {"routes": [{"channels": "mail"}]},
            "routes[0].channels must be a list of channels; an empty one tells nobody.",
        ),
        ({"routes": [{}]}, "routes[0].channels must be a list of channels; an empty one tells nobody."),
        ({"routes": [{"channels": [7]}]}, "routes[0].channels must be a list of channels; an empty one tells nobody."),
        ({"routes": [{"channels": ["mail"], "branch": 7}]}, "routes[0].branch must be a text."),
    ],
)
def test_what_is_wrong_is_named(stored: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest) as caught:
        Routing.read(stored, KNOWN)
    assert str(caught.value) == words


def test_where_no_channel_is_configured_that_is_said() -> None:
    with pytest.raises(BadRequest, match=r"Configured: none\.$"):
        Routing.read({"least": {"slack": "info"}}, ())
