"""What the weekly digest says of given figures, word for word."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from core.insights import digest
from core.insights.digest import Digest, Line
from core.insights.failures import Cluster

UNTIL = datetime(2026, 3, 2, 8, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=7)
SUMMARY = {
    "success": 900,
    "failed": 334,
    "success_rate": 0.7294,
    "previous_success_rate": 0.75,
    "avg_build_time": 200.0,
    "p95_build_time": 3900.0,
}


def pipeline(name: str, counts: tuple[int, int, int, int], newest: str = "success") -> dict[str, Any]:
    """`counts`: successes and failures of the week, and of the week before."""
    names = ("success", "failed", "previous_success", "previous_failed")
    words = {"pipeline_id": f"gh/{name}", "repository": "acme/web", "pipeline": name, "newest_status": newest}
    return words | dict(zip(names, counts, strict=True))


def change(name: str, ratio: float, **words: Any) -> dict[str, Any]:
    usual = {
        "repository": "acme/web",
        "pipeline": name,
        "job": "",
        "ratio": ratio,
        "head_sha": "abcdef1234567",
        "is_newest": True,
        "changed_at": UNTIL - timedelta(days=1),
        "before_seconds": 100.0,
        "after_seconds": 100.0 * ratio,
        "week_seconds": 0.0,
    }
    return usual | words


def flaky(job: str) -> dict[str, Any]:
    words = {"job": job, "repository": "acme/web", "pipeline": "CI"}
    return words | {"failures": 4, "wasted_seconds": 600.0, "waited_seconds": 7500.0}


def cluster(line: str, runs: int = 1200, pipelines: int = 3) -> Cluster:
    return Cluster("c", line, line, ("m",), runs, runs, pipelines, SINCE, "j1", UNTIL, "j2", new=False)


def built(
    pipelines: list[dict[str, Any]] | None = None,
    flaky_jobs: list[dict[str, Any]] | None = None,
    changes: list[dict[str, Any]] | None = None,
    clusters: list[Cluster] | None = None,
    **summary: Any,
) -> Digest:
    return digest.build(
        UNTIL,
        "Europe/Berlin",
        summary=pd.Series(SUMMARY | summary, dtype=object),
        pipelines=pd.DataFrame(pipelines or [], columns=list(pipeline("x", (0, 0, 0, 0)))),
        flaky=pd.DataFrame(flaky_jobs or [], columns=list(flaky("x"))),
        changes=pd.DataFrame(changes or [], columns=list(change("x", 1.0))).astype(
            {"is_newest": bool, "changed_at": "datetime64[us, UTC]", "ratio": float, "week_seconds": float}
        ),
        clusters=clusters or [],
    )


def test_the_health_of_a_week() -> None:
    assert built().health == (
        Line("72.9 % of 1,234 runs succeeded (-2.1 points).", "?window=7d"),
        Line("None of 0 pipelines is failing on its default branch.", "pipelines"),
        Line("A build took 3 min on average, 1 h 05 min at the 95th percentile."),
    )
    assert built(previous_success_rate=float("nan")).health[0].text == "72.9 % of 1,234 runs succeeded."
    assert built(success=None, failed=1, success_rate=0.0).health[0].text == "0.0 % of 1 runs succeeded (-75.0 points)."
    assert built(success=None, failed=None).health == (Line("No run finished this week."),)


def test_pipelines_that_fail_are_named_five_at_most() -> None:
    red = [pipeline(f"P{number}", (1, 1, 1, 1), "failed") for number in range(6)]
    assert built([red[0], pipeline("ok", (1, 1, 1, 1))]).health[1].text == (
        "1 of 2 pipelines fail on their default branch: acme/web P0."
    )
    five = ", ".join(f"acme/web P{number}" for number in range(5))
    assert built(red[:5]).health[1].text == f"5 of 5 pipelines fail on their default branch: {five}."
    assert built(red).health[1].text == f"6 of 6 pipelines fail on their default branch: {five} and others."


def test_rates_that_changed_are_told_the_largest_change_first() -> None:
    made = built(
        [
            pipeline("little", (40, 10, 48, 2)),
            pipeline("much", (10, 40, 48, 2)),
            pipeline("up", (48, 2, 20, 30)),
            pipeline("far up", (50, 0, 5, 45)),
            pipeline("same", (30, 20, 31, 19)),
            pipeline("few", (0, 4, 50, 0)),
            pipeline("few before", (50, 0, 0, 4)),
            pipeline("just enough", (0, 5, 5, 0)),
        ]
    )
    assert made.worse == (
        Line("acme/web just enough: 0 % of runs succeeded, 100 % the week before.", "pipeline?id=gh%2Fjust%20enough"),
        Line("acme/web much: 20 % of runs succeeded, 96 % the week before.", "pipeline?id=gh%2Fmuch"),
        Line("acme/web little: 80 % of runs succeeded, 96 % the week before.", "pipeline?id=gh%2Flittle"),
    )
    assert [line.text.split(":")[0] for line in made.better] == ["acme/web far up", "acme/web up"]


def test_of_equal_changes_the_first_by_name_is_first() -> None:
    made = built([pipeline(name, (10, 40, 48, 2)) for name in ("b", "a", "c")])
    assert [line.text.split(":")[0] for line in made.worse] == ["acme/web a", "acme/web b", "acme/web c"]


def test_the_tempo_of_whole_pipelines_that_changed_this_week() -> None:
    made = built(
        changes=[
            change("slow", 1.25),
            change("thrice", 3.0),
            change("fast", 0.5, head_sha=None, changed_at=SINCE),
            change("job", 2.0, job="build"),
            change("old", 2.0, changed_at=SINCE - timedelta(microseconds=1)),
            change("to come", 2.0, changed_at=UNTIL),
            change("over", 2.0, is_newest=False),
        ]
    )
    assert made.worse == (
        Line("acme/web slow is 25 % slower since commit abcdef1: 2 min before, 2 min now.", "regressions"),
        Line("acme/web thrice is 200 % slower since commit abcdef1: 2 min before, 5 min now.", "regressions"),
    )
    assert made.better == (Line("acme/web fast is 50 % faster: 2 min before, 50 s now.", "regressions"),)


def test_five_changes_for_the_worse_and_five_for_the_better_are_told() -> None:
    made = built(changes=[change(f"s{n}", 1.5) for n in range(6)] + [change(f"f{n}", 0.5) for n in range(6)])
    assert [len(made.worse), len(made.better)] == [5, 5]


def test_what_to_fix_first_is_one_of_each_kind_then_the_second_ones() -> None:
    slow = [
        change("cheap", 1.5, week_seconds=100.0),
        change("dear", 1.5, week_seconds=7200.0, job="build", changed_at=SINCE - timedelta(days=30)),
        change("free", 1.5),
        change("faster", 0.5, week_seconds=9999.0),
        change("over", 1.5, week_seconds=9999.0, is_newest=False),
    ]
    error = Line("“boom” broke 1,200 runs of 3 pipelines.", "failures?window=7d")
    shaky = Line(
        "test of acme/web CI is flaky: 4 failed tries on good commits cost 10 min, and people waited 2 h 05 min.",
        "flaky?window=7d",
    )
    dear = Line("acme/web dear › build is 50 % slower since commit abcdef1, 2 h 00 min a week.", "regressions")
    cheap = Line("acme/web cheap is 50 % slower since commit abcdef1, 2 min a week.", "regressions")
    assert built(flaky_jobs=[flaky("test")], changes=slow, clusters=[cluster("boom")]).fixes == (error, shaky, dear)
    assert built(flaky_jobs=[flaky("test")], changes=slow).fixes == (shaky, dear, cheap)
    assert built(changes=slow).fixes == (dear, cheap)
    many = built(clusters=[cluster(f"e{number}", runs=1, pipelines=1) for number in range(5)]).fixes
    assert [line.text for line in many] == [f"“e{number}” broke 1 run of 1 pipeline." for number in range(3)]
    jobs = built(flaky_jobs=[flaky(f"j{number}") for number in range(5)]).fixes
    assert [line.text.split(" ")[0] for line in jobs] == ["j0", "j1", "j2"]
    [once] = built(flaky_jobs=[flaky("test") | {"failures": 1}]).fixes
    assert "is flaky: 1 failed try on good commits" in once.text


def test_a_long_error_is_cut() -> None:
    [fix] = built(clusters=[cluster("x" * 161)]).fixes
    assert fix.text.startswith(f"“{'x' * 160}” broke")


def test_a_digest_as_plain_values() -> None:
    made = Digest(SINCE, UNTIL, "Europe/Berlin", (Line("h"),), (Line("w"),), (Line("b"),), (Line("f", "p"),))
    assert made.facts() == {
        "title": "CI/CD week: Mon 23 Feb to Mon 2 Mar 2026",
        "sections": [
            {"name": "Health", "lines": [{"text": "h", "path": None}]},
            {"name": "Fix first", "lines": [{"text": "f", "path": "p"}]},
            {"name": "Got worse", "lines": [{"text": "w", "path": None}]},
            {"name": "Got better", "lines": [{"text": "b", "path": None}]},
        ],
    }
    assert [name for name, _ in built(success=None, failed=None).sections()] == ["Health"]
    assert (built().since, built().until, built().zone) == (SINCE, UNTIL, "Europe/Berlin")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (3540, "59 min"), (7200, "2 h 00 min")]
)
def test_the_bounds_of_words_for_a_duration(seconds: float, words: str) -> None:
    assert digest.told(seconds) == words
