"""However Buildbot behaves, the database ends up equal to its truth, and equal to what its reporter sends."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from core.errors import ProviderUnavailable
from ingest.polling.engine import Polling
from ingest.polling.source import LogAddress
from ingest.providers.buildbot.parse import parse
from tests.buildbot_server import HOST, BuildbotServer
from tests.github_server import now_to_the_second
from tests.ingest.providers.conftest import Keep, Poller, Rows

NOW = now_to_the_second()
RUNS = "SELECT run_number, conclusion FROM runs WHERE pipeline = '{}'"


@pytest.fixture
def buildbot() -> Iterator[BuildbotServer]:
    with BuildbotServer().running() as server:
        yield server


@pytest.fixture
def start(buildbot: BuildbotServer, poller: Poller) -> Poller:
    return lambda builders="*", **more: poller(buildbot_url=buildbot.url, buildbot_builders=builders, **more)


def polled(polling: Polling) -> Polling:
    polling.round()
    polling.drain()
    return polling


def error_of(polling: Polling, builder: str) -> str:
    return polling.book("buildbot", builder).state.last_error or ""


def busy(buildbot: BuildbotServer, name: str, builds: int) -> int:
    """A builder with a build every ten minutes up to now; each third fails, each seventh ends with warnings."""
    builder = buildbot.builder(name)
    for age in range(builds, 0, -1):
        buildbot.build(builder, NOW - timedelta(minutes=10 * age), 2 if age % 3 == 0 else 1 if age % 7 == 0 else 0)
    return builder


def test_a_long_history_arrives_whole_through_faults(buildbot: BuildbotServer, start: Poller, rows: Rows) -> None:
    buildbot.fault_every = 29
    shop, nightly = busy(buildbot, "shop", 230), busy(buildbot, "nightly", 3)
    buildbot.builder("of last year", masters=())
    polling = polled(start())
    assert rows(RUNS.format("shop")) == buildbot.truth(shop)
    assert rows(RUNS.format("nightly")) == buildbot.truth(nightly)
    assert rows("SELECT count(*) FROM jobs") == {(233,)}
    assert rows("SELECT count(*), count(DISTINCT name) FROM steps") == {(466, 2)}
    assert polling.repositories("buildbot") == ["nightly", "shop"]
    assert [polling.progress("buildbot", name).listed for name in ("nightly", "shop")] == [1.0, 1.0]


def test_a_builder_where_nothing_happens_costs_one_request(buildbot: BuildbotServer, start: Poller) -> None:
    busy(buildbot, "shop", 20)
    polling = polled(start())
    buildbot.asked.clear()
    polled(polling)
    assert [path.split("?")[0] for path in buildbot.asked] == ["api/v2/builders", "api/v2/builders/1/builds"]


def test_a_build_is_followed_to_its_end_and_its_successors_are_seen(
    buildbot: BuildbotServer, start: Poller, rows: Rows
) -> None:
    shop = buildbot.builder("shop")
    running = buildbot.build(shop, NOW - timedelta(minutes=5), None)
    polling = polled(start())
    assert rows("SELECT run_number, status, finished_at FROM runs") == {(1, "running", None)}
    buildbot.finish(running, 4, seconds=90)
    buildbot.build(shop, NOW)
    polled(polling)
    assert rows("SELECT run_number, status, conclusion, duration_seconds FROM runs") == {
        (1, "failed", "exception", 90), (2, "success", "success", 60),
    }  # fmt: skip
    assert rows("SELECT status, count(*) FROM steps GROUP BY status") == {("failed", 1), ("success", 3)}


def test_more_builds_than_a_page_holds_are_all_seen_after_a_pause(
    buildbot: BuildbotServer, start: Poller, rows: Rows
) -> None:
    shop = buildbot.builder("shop")
    polling = polled(start())
    for minutes in range(150, 0, -1):
        buildbot.build(shop, NOW - timedelta(minutes=minutes))
    polled(polling)
    assert rows("SELECT count(*), max(run_number) FROM runs") == {(150, 150)}
    for _ in range(130):
        buildbot.build(shop, NOW)
    polled(polling)
    assert rows(RUNS.format("shop")) == buildbot.truth(shop)


def test_a_build_that_is_deleted_while_it_runs_ends(buildbot: BuildbotServer, start: Poller, rows: Rows) -> None:
    buildbot.build(buildbot.builder("shop"), NOW, None)
    polling = polled(start())
    buildbot.builds.clear()
    polled(polling)
    assert rows("SELECT status, conclusion FROM runs") == {("skipped", "deleted")}


@pytest.mark.parametrize("hook_first", [True, False])
def test_the_reporter_and_a_poll_give_one_row_each(
    buildbot: BuildbotServer, start: Poller, rows: Rows, keep: Keep, hook_first: bool
) -> None:
    build = buildbot.build(buildbot.builder("shop"), NOW - timedelta(hours=1), 2)
    sent = build | {
        "builder": {"builderid": 1, "name": "shop"},
        "buildset": buildbot.buildsets[0],
        "url": f"{HOST}#/builders/1/builds/1",
        "steps": buildbot.steps,
    }
    everything = ["SELECT * FROM runs", "SELECT * EXCLUDE (labels) FROM jobs", "SELECT * FROM steps"]
    if hook_first:
        keep(parse("", sent))
    polled(start())
    found = [rows(statement) for statement in everything]
    keep(parse("", sent))
    assert [rows(statement) for statement in everything] == found
    assert rows("SELECT repository, pipeline, conclusion, actor, title, event, branch, url FROM runs") == {
        ("acme/shop", "shop", "failure", "ana", "A push", "once", "main", f"{HOST}#/builders/1/builds/1")
    }


def test_a_build_whose_request_was_cleaned_away_still_arrives(
    buildbot: BuildbotServer, start: Poller, rows: Rows
) -> None:
    busy(buildbot, "shop", 2)
    del buildbot.requests[0], buildbot.buildsets[1]
    polled(start())
    assert rows("SELECT run_number, title, branch FROM runs") == {(1, None, None), (2, None, None)}


def test_a_build_that_makes_no_sense_costs_nothing_but_itself(
    buildbot: BuildbotServer, start: Poller, rows: Rows
) -> None:
    busy(buildbot, "shop", 3)
    buildbot.builds[1]["complete"] = {"what": "is this"}
    polling = polled(start())
    assert rows("SELECT run_number FROM runs") == {(1,), (3,)}
    assert error_of(polling, "shop") == ""


def test_the_log_of_a_build_is_that_of_its_steps(buildbot: BuildbotServer, start: Poller) -> None:
    shop = buildbot.builder("shop")
    for _ in range(2):
        buildbot.build(shop, NOW)
    buildbot.log(10, "stdio", b"ready\n")
    buildbot.log(11, "stdio", b"line\n" * 70_000)
    buildbot.log(11, "problems", b"1 test\n", kind="t")
    buildbot.log(11, "coverage", b"<html>", kind="h")
    buildbot.log(11, "old", b"", kind="d")
    polling = polled(start())
    source = polling.sources["buildbot"]

    def log_of(job_id: str) -> tuple[str, bytes]:
        pieces: list[bytes] = []
        return polling.run(source.read_log(LogAddress("shop", job_id, 1, job_id, "shop"), pieces.append)), b"".join(
            pieces
        )

    kept, text = log_of("1")
    assert kept == "kept"
    assert text == (
        b"##[group]worker_preparation \xc2\xb7 stdio\nready\n\n##[endgroup]\n"
        b"##[group]test \xc2\xb7 stdio\n" + b"line\n" * 70_000 + b"\n##[endgroup]\n"
        b"##[group]test \xc2\xb7 problems\n1 test\n\n##[endgroup]\n"
    )
    assert log_of("2") == ("missing", b"")
    del buildbot.texts[1]
    assert log_of("1")[0] == "missing"
    buildbot.refuse = 403
    with pytest.raises(ProviderUnavailable, match="must be open to this host"):
        log_of("1")


def test_only_named_builders_are_polled(buildbot: BuildbotServer, start: Poller, rows: Rows) -> None:
    busy(buildbot, "shop", 2)
    busy(buildbot, "nightly", 2)
    polling = polled(start("nightly,none"))
    assert rows("SELECT DISTINCT pipeline FROM runs") == {("nightly",)}
    assert error_of(polling, "none") == "Buildbot has no builder none. Check BUILDBOT_BUILDERS."
    assert error_of(polling, "nightly") == ""


@pytest.mark.parametrize(
    ("weather", "sentence"),
    [
        ({"refuse": 403}, "Buildbot doesn't let strangers read the builders (403)"),
        ({"refuse": 404}, "Is BUILDBOT_URL the address of its web page?"),
        ({"refuse": 400}, "Buildbot refuses requests about the builders (400)."),
        ({"nonsense": frozenset({"api/v2/builders"})}, "The answer about the builders isn't what it should be."),
        ({"nonsense": frozenset({"api/v2/builds/1"})}, "The answer about shop isn't what it should be."),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(
    buildbot: BuildbotServer, start: Poller, rows: Rows, weather: dict[str, Any], sentence: str
) -> None:
    buildbot.build(buildbot.builder("shop"), NOW, None)
    polling = polled(start())
    vars(buildbot).update(weather)
    polled(polling)
    assert sentence in error_of(polling, "shop")
    vars(buildbot).update(refuse=0, nonsense=frozenset())
    polled(polling)
    assert error_of(polling, "shop") == ""
