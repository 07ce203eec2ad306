"""However Jenkins behaves, the database ends up equal to its truth, and equal to what its plugins send."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from core.errors import BadSetting
from ingest.polling.engine import Polling
from ingest.polling.source import LogAddress
from ingest.providers.jenkins import logs
from ingest.providers.jenkins.parse import parse
from ingest.providers.jenkins.rest import Branch, changes_of_build, steps_of
from tests.github_server import now_to_the_second
from tests.ingest.providers.conftest import Keep, Poller, Rows
from tests.ingest.providers.fixtures import only_run, recorded
from tests.jenkins_server import TOKEN, USER, JenkinsServer
from tests.jenkins_truth import HOST, Item, full_of_builds, milliseconds

NOW = now_to_the_second()
JOBS = "SELECT j.id, a.run_id FROM jobs AS j JOIN attempts AS a ON a.id = j.attempt_id"
RUNS = "SELECT run_number, conclusion FROM attempts WHERE run_id LIKE '{}#%'"


@pytest.fixture
def jenkins() -> Iterator[JenkinsServer]:
    with JenkinsServer().running() as server:
        yield server


@pytest.fixture
def start(jenkins: JenkinsServer, poller: Poller) -> Poller:
    account = {"jenkins_user": USER, "jenkins_token": TOKEN}
    return lambda jobs, **more: poller(**{"jenkins_url": jenkins.url, "jenkins_jobs": jobs} | account | more)


def polled(polling: Polling) -> Polling:
    polling.round()
    polling.drain()
    return polling


def error_of(polling: Polling, job: str) -> str:
    return polling.book("jenkins", job).state.last_error or ""


def test_folders_branches_and_matrices_arrive_whole_through_faults(
    jenkins: JenkinsServer, start: Poller, rows: Rows
) -> None:
    jenkins.fault_every = 13
    nightly = full_of_builds(jenkins.root.add(Item("nightly")), 260, NOW)
    team = jenkins.root.add(Item("team & co", "folder"))
    shop = team.add(Item("shop", "multibranch"))
    main = full_of_builds(shop.add(Item("main", "workflow", is_primary=True)), 130, NOW)
    basket = full_of_builds(shop.add(Item("fix%2Fbasket", "workflow")), 3, NOW)
    matrix = full_of_builds(team.add(Item("port", "matrix", axes=("jdk=17,os=linux", "jdk=21,os=linux"))), 5, NOW)
    polled(start("*"))
    assert rows(RUNS.format("nightly")) == nightly.truth()
    assert rows(RUNS.format("team & co/shop/main")) == main.truth()
    assert rows(RUNS.format("team & co/shop/fix%2Fbasket")) == basket.truth()
    assert rows(RUNS.format("team & co/port")) == matrix.truth()
    assert rows("SELECT repository, pipeline, default_branch, count(*) FROM runs GROUP BY ALL") == {
        ("nightly", "nightly", None, len(nightly.builds)), ("team & co", "port", None, 5),
        ("team & co/shop", "shop", "main", len(main.builds) + 3),
    }  # fmt: skip
    assert rows("SELECT DISTINCT branch FROM runs WHERE pipeline = 'shop'") == {("main",), ("fix/basket",)}
    # One job for each build, and one for each configuration of a matrix build; two stages for each pipeline build.
    assert rows("SELECT count(*) FROM jobs") == {(len(nightly.builds) + len(main.builds) + 3 + 5 * 3,)}
    assert rows("SELECT count(*) FROM steps") == {(2 * (len(main.builds) + 3),)}


def test_a_round_in_which_nothing_happens_costs_one_request_for_each_job(jenkins: JenkinsServer, start: Poller) -> None:
    full_of_builds(jenkins.root.add(Item("nightly")), 20, NOW)
    shop = jenkins.root.add(Item("shop", "multibranch"))
    for number in range(10):
        full_of_builds(shop.add(Item(f"branch-{number}", "workflow")), 5, NOW)
    polling = polled(start("*"))
    jenkins.requests.clear()
    polled(polling)
    assert len(jenkins.requests) == 2


def test_a_build_is_followed_from_its_start_through_a_pause_to_its_end(
    jenkins: JenkinsServer, start: Poller, rows: Rows
) -> None:
    job = jenkins.root.add(Item("shop", "workflow"))
    build = job.build(1, NOW - timedelta(minutes=5), None, seconds=60)
    polling = polled(start("shop"))
    assert rows("SELECT status, finished_at FROM runs") == {("running", None)}
    build.paused, build.seconds = True, 90
    polled(polling)
    assert rows("SELECT status FROM runs") == {("blocked",)}
    build.paused, build.seconds = False, 120
    polled(polling)
    assert rows("SELECT status FROM runs") == {("running",)}
    job.build(1, build.begun, "UNSTABLE", seconds=130)
    polled(polling)
    assert rows("SELECT status, conclusion, duration_seconds FROM runs") == {("failed", "UNSTABLE", 130)}
    assert rows("SELECT number, name, conclusion FROM steps") == {(6, "Checkout", "SUCCESS"), (13, "Test", "UNSTABLE")}


def test_a_build_that_is_deleted_while_it_runs_ends(jenkins: JenkinsServer, start: Poller, rows: Rows) -> None:
    job = jenkins.root.add(Item("shop"))
    job.build(1, NOW, None)
    polling = polled(start("shop"))
    del job.builds[1]
    polled(polling)
    assert rows("SELECT status, conclusion FROM runs") == {("skipped", "deleted")}


def test_a_job_that_was_made_anew_counts_from_one(jenkins: JenkinsServer, start: Poller, rows: Rows) -> None:
    job = full_of_builds(jenkins.root.add(Item("shop")), 5, NOW - timedelta(days=1))
    polling = polled(start("shop"))
    job.builds = {}
    job.build(1, NOW, "FAILURE")
    polled(polling)
    assert rows("SELECT conclusion FROM runs WHERE run_number = 1") == {("FAILURE",)}


@pytest.mark.parametrize("hook_first", [True, False])
def test_the_plugin_the_step_and_a_poll_give_one_row_each(
    jenkins: JenkinsServer, start: Poller, rows: Rows, keep: Keep, hook_first: bool
) -> None:
    begun = NOW - timedelta(hours=1)
    shop = jenkins.root.add(Item("acme", "folder")).add(Item("shop", "multibranch"))
    main = shop.add(Item("main", "workflow", is_primary=True))
    main.build(7, begun, "FAILURE")
    jenkins.root.add(Item("nightly")).build(3, begun)

    def hook(path: str, number: int, result: str, **more: Any) -> dict[str, Any]:
        build = {"full_url": f"{HOST}/{path}{number}/", "number": number, "phase": "COMPLETED", "status": result}
        build |= {"timestamp": milliseconds(begun) + 60_700, "started_at": milliseconds(begun), "duration": 60_500}
        return {"name": "main", "build": build, **more}

    sent = [hook(main.path, 7, "FAILURE", branch="main"), hook("job/nightly/", 3, "SUCCESS")]
    if not hook_first:
        polled(start("*"))
    for payload in sent:
        keep(parse("build", payload))
    if hook_first:
        polled(start("*"))
    assert rows("SELECT repository, pipeline, run_id, conclusion, actor, title, event, duration_seconds FROM runs") == {
        ("acme/shop", "shop", "acme/shop/main#7", "FAILURE", "ana", "A change", "manual", 60),
        ("nightly", "nightly", "nightly#3", "SUCCESS", "ana", "A change", "manual", 60),
    }
    assert rows("SELECT count(*) FROM pipelines") == {(2,)}
    assert rows("SELECT name, status FROM jobs") == {("shop", "failed"), ("nightly", "success")}
    assert rows("SELECT head_sha FROM runs") == {("a" * 40,)} | {("b" * 40,)}


def test_the_plugins_word_about_a_configuration_is_a_job_of_the_matrix_build() -> None:
    build = {"full_url": f"{HOST}/job/port/jdk=17,os=linux/5/", "number": 5, "phase": "COMPLETED", "status": "FAILURE"}
    changes = parse("build", {"name": "jdk=17,os=linux", "build": build | {"timestamp": milliseconds(NOW)}})
    assert changes
    assert changes.runs == ()
    assert [(job.name, job.job_id) for job in changes.jobs] == [("jdk=17,os=linux", "port//jdk=17,os=linux#5")]


def test_without_the_stages_plugin_nobody_asks_for_stages_twice(
    jenkins: JenkinsServer, start: Poller, rows: Rows
) -> None:
    jenkins.has_stages = False
    shop = full_of_builds(jenkins.root.add(Item("shop", "workflow")), 30, NOW)
    polling = polled(start("shop"))
    assert rows("SELECT count(*) FROM runs") == {(len(shop.builds),)}
    jenkins.requests.clear()
    shop.build(31, NOW)
    polled(polling)
    assert [request for request in jenkins.requests if "wfapi" in request] == []


def test_only_what_is_needed_travels(jenkins: JenkinsServer, start: Poller) -> None:
    full_of_builds(jenkins.root.add(Item("shop", "workflow")), 3, NOW)
    polled(start("*"))
    assert [one for one in jenkins.requests if "api/json" in one and "tree=" not in one and "wfapi" not in one] == []


def test_a_console_log_is_read_in_parts(jenkins: JenkinsServer, start: Poller) -> None:
    log = b"line\n" * 700
    jenkins.root.add(Item("team", "folder")).add(Item("shop")).build(4, NOW, log=log)
    jenkins.root.items[0].add(Item("port", "matrix", axes=("jdk=17",))).build(5, NOW, log=b"matrix\n")
    polling = polled(start("team/*"))
    source = polling.sources["jenkins"]

    def log_of(job_id: str) -> tuple[str, bytes]:
        pieces: list[bytes] = []
        return polling.run(source.read_log(LogAddress("team", "1", 1, job_id, "test"), pieces.append)), b"".join(pieces)

    assert log_of("team/shop#4") == ("kept", log)
    assert sum("progressiveText" in request for request in jenkins.requests) == 4
    assert log_of("team/port//jdk=17#5") == ("kept", b"matrix\n")
    assert log_of("team/shop#99") == ("missing", b"")
    jenkins.root.items[0].items[0].build(6, NOW, None, log=b"so far\n")
    assert log_of("team/shop#6") == ("kept", b"so far\n")


def test_a_console_log_that_never_ends_is_kept_as_far_as_it_was_read(
    jenkins: JenkinsServer, start: Poller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MOST_PARTS", 2)
    jenkins.root.add(Item("shop")).build(1, NOW, None, log=b"line\n" * 1000)
    polling = polled(start("shop"))
    pieces: list[bytes] = []
    asked = LogAddress("shop", "1", 1, "shop#1", "test")
    assert polling.run(polling.sources["jenkins"].read_log(asked, pieces.append)) == "kept"
    assert b"".join(pieces) == b"line\n" * 400


def test_the_branches_of_a_multibranch_project_may_be_asked_for_like_a_folders_jobs(
    jenkins: JenkinsServer, start: Poller, rows: Rows
) -> None:
    shop = jenkins.root.add(Item("team", "folder")).add(Item("shop", "multibranch"))
    shop.add(Item("main", "workflow", is_primary=True)).build(1, NOW)
    polling = polled(start("team/shop/*"))
    assert polling.repositories("jenkins") == ["team/shop"]
    assert rows("SELECT branch, run_number FROM runs") == {("main", 1)}


@pytest.mark.parametrize(
    "refused", ["/job/shop/1/wfapi/describe", "/job/shop/1/api/json"], ids=["the stages", "their build"]
)
def test_stages_that_are_refused_are_told_and_read_later(
    jenkins: JenkinsServer, start: Poller, rows: Rows, refused: str
) -> None:
    jenkins.root.add(Item("shop", "workflow")).build(1, NOW)
    jenkins.instead["/job/shop/1/wfapi/describe"] = (404, {})
    jenkins.instead[refused] = (400, {})
    polling = polled(start("shop"))
    assert polling.book("jenkins", "shop").state.background_error == "Jenkins refuses requests about shop (400)."
    assert rows("SELECT count(*) FROM steps") == {(0,)}
    jenkins.instead.clear()
    polled(polling)
    assert rows("SELECT count(*) FROM steps") == {(2,)}


def test_what_is_wrong_is_told_in_a_sentence(jenkins: JenkinsServer, start: Poller) -> None:
    jenkins.root.add(Item("team", "folder")).add(Item("shop"))
    assert "a new JENKINS_TOKEN" in error_of(polled(start("team/shop", jenkins_token="wrong")), "team/shop")
    polling = polled(start("team/shop,team,none,none/*"))
    assert "Jenkins knows no none" in error_of(polling, "none")
    assert "Jenkins knows no none" in error_of(polling, "none/*")
    assert "Write team/* into JENKINS_JOBS" in error_of(polling, "team")
    assert error_of(polling, "team/shop") == ""
    jenkins.refuse = 403
    assert "Job/Read" in error_of(polled(polling), "team/shop")


def test_jobs_without_an_address_are_refused_at_the_start(poller: Poller) -> None:
    with pytest.raises(BadSetting, match="JENKINS_URL doesn't say where"):
        poller(jenkins_jobs="shop", jenkins_url=None)


def test_without_a_user_we_come_as_nobody(jenkins: JenkinsServer, start: Poller) -> None:
    jenkins.root.add(Item("shop"))
    assert "(401)" in error_of(polled(start("shop", jenkins_user=None)), "shop")


def test_more_builds_than_a_page_holds_are_all_seen(jenkins: JenkinsServer, start: Poller, rows: Rows) -> None:
    shop = jenkins.root.add(Item("shop"))
    shop.build(1, NOW - timedelta(hours=9))
    polling = polled(start("shop"))
    for number in range(2, 242):
        shop.build(number, NOW)
    polled(polling)
    assert rows(RUNS.format("shop")) == shop.truth()


def test_a_build_that_makes_no_sense_costs_nothing_but_itself(
    jenkins: JenkinsServer, start: Poller, rows: Rows
) -> None:
    shop = jenkins.root.add(Item("shop"))
    for number in (1, 2, 3):
        shop.build(number, NOW)
    body = shop.body()
    body["allBuilds"][1]["timestamp"] = "yesterday"
    jenkins.instead["/job/shop/api/json"] = (200, body)
    polling = polled(start("shop"))
    assert rows("SELECT run_number FROM runs") == {(1,), (3,)}
    assert error_of(polling, "shop") == ""


def test_stages_that_make_no_sense_cost_neither_their_build_nor_the_stages_of_others(
    jenkins: JenkinsServer, start: Poller, rows: Rows
) -> None:
    shop = jenkins.root.add(Item("shop", "workflow"))
    nonsense = (200, {"stages": [{"id": "six", "name": ["Test"]}]})
    for number in (1, 2):
        shop.build(number, NOW)
    jenkins.instead["/job/shop/1/wfapi/describe"] = nonsense
    polling = polled(start("shop"))
    assert rows("SELECT DISTINCT job_id FROM steps") == {(job,) for job, run in rows(JOBS) if run == "shop#2"}
    assert (polling.book("jenkins", "shop").state.background_error, error_of(polling, "shop")) == (None, "")
    shop.build(3, NOW)
    jenkins.instead["/job/shop/3/wfapi/describe"] = nonsense
    polled(polling)
    assert rows("SELECT run_number, status FROM runs") == {(number, "success") for number in (1, 2, 3)}


@pytest.mark.parametrize(("status", "found"), [(403, "Job/Read"), (404, "")])
def test_a_running_build_that_is_refused_is_no_deleted_one(
    jenkins: JenkinsServer, start: Poller, rows: Rows, status: int, found: str
) -> None:
    jenkins.root.add(Item("shop")).build(1, NOW, None)
    polling = polled(start("shop"))
    jenkins.instead["/job/shop/1/api/json"] = (status, {})
    polled(polling)
    assert rows("SELECT status FROM runs") == {("running" if status == 403 else "skipped",)}
    assert found in error_of(polling, "shop")


def test_a_build_that_is_gone_when_its_stages_are_asked_for_says_nothing_of_the_plugin(
    jenkins: JenkinsServer, start: Poller, rows: Rows
) -> None:
    shop = jenkins.root.add(Item("shop", "workflow"))
    for number in (1, 2):
        shop.build(number, NOW)
    for path in ("/job/shop/1/wfapi/describe", "/job/shop/1/api/json"):
        jenkins.instead[path] = (404, {})
    polling = polled(start("shop"))
    assert rows("SELECT DISTINCT job_id FROM steps") == {(job,) for job, run in rows(JOBS) if run == "shop#2"}
    del jenkins.instead["/job/shop/1/api/json"]
    shop.build(3, NOW)
    polled(polling)
    assert {job for (job,) in rows("SELECT job_id FROM steps")} == {job for job, run in rows(JOBS) if run != "shop#1"}


# What real servers answered.


def recorded_rows(name: str) -> list[dict[str, Any]]:
    return [row for _, row in recorded(f"jenkins/devlake_{name}.jsonl")]


@pytest.mark.parametrize("row", recorded_rows("builds") + recorded_rows("builds_multibranch"))
def test_a_recorded_build_lands_as_it_was_told(row: dict[str, Any]) -> None:
    sent = row["data"]
    run = only_run(changes_of_build(sent, Branch("main", 0, is_primary=False, is_workflow=True)))
    checkouts = [action["lastBuiltRevision"] for action in sent["actions"] if action.get("lastBuiltRevision")]
    assert (run.run_number, run.conclusion) == (sent["number"], None if sent.get("building") else sent["result"])
    assert run.started_at
    assert milliseconds(run.started_at) == sent["timestamp"]
    assert run.head_sha in {one["SHA1"] for one in checkouts} or (run.head_sha is None and not checkouts)


@pytest.mark.parametrize("row", recorded_rows("stages") + recorded_rows("stages_multibranch"))
def test_a_recorded_stage_lands_as_it_was_told(row: dict[str, Any]) -> None:
    sent = row["data"]
    [step] = steps_of({"stages": [sent]}, "a job")
    assert (step.number, step.name) == (int(sent["id"]), sent["name"])
    assert step.started_at
    assert milliseconds(step.started_at) == sent["startTimeMillis"]


def test_our_server_answers_in_the_words_of_recorded_ones() -> None:
    job = Item("main", "workflow")
    build = job.build(1, NOW)
    words = set(job.build_body(build)) | {"changeSet"}
    for row in recorded_rows("builds") + recorded_rows("builds_multibranch"):
        assert set(row["data"]) - words == set()
    for row in recorded_rows("stages"):
        assert set(row["data"]) - set(job.stages(build)["stages"][0]) - {"_links", "error"} == set()
