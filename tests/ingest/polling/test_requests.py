"""One request to a CI system, against a server that answers as each test says: redirects, pauses, junk, slowness."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from ingest.polling import http
from ingest.polling.budget import LONGEST_WINDOW, Budget, retry_after
from ingest.polling.http import Answer, Api, Lane, Passing, Refused
from tests.github_server import serving
from tests.ports import free_port

Answering = Callable[[Request], Awaitable[Response]]
Ask = Callable[[str], Answer]


@contextmanager
def asking(answering: Answering, budget: Budget | None = None) -> Iterator[Ask]:
    """Gives what asks for a path below /api/, with a token."""
    port = free_port()
    with serving(Starlette(routes=[Route("/{path:path}", answering)]), port, "127.0.0.1"):

        async def headers() -> Mapping[str, str]:
            return {"Authorization": "Bearer a-token"}

        async def get(path: str) -> Answer:
            async with httpx.AsyncClient(timeout=5) as client:
                lane = Lane(asyncio.Semaphore(1))
                api = Api("The system", client, f"http://127.0.0.1:{port}/api", headers, budget or Budget(), lane)
                return await api.get(path)

        yield lambda path: asyncio.run(get(path))


@pytest.fixture(autouse=True)
def _two_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TRIES", 2)


def test_a_redirect_that_leaves_the_api_takes_no_token_along() -> None:
    seen: list[tuple[str, str | None]] = []

    async def answer(request: Request) -> Response:
        seen.append((request.url.path, request.headers.get("authorization")))
        return PlainTextResponse("[1]") if request.url.path == "/other" else RedirectResponse("/other")

    with asking(answer) as ask:
        assert ask("start").body == [1]
    assert seen == [("/api/start", "Bearer a-token"), ("/other", None)]


def test_a_redirect_in_a_circle_is_refused() -> None:
    async def answer(_: Request) -> Response:
        return RedirectResponse("again")

    with asking(answer) as ask, pytest.raises(Refused, match="too many redirects") as refused:
        ask("start")
    assert refused.value.http_status == 310


def test_a_redirect_to_what_is_no_address_is_a_fault_that_is_told() -> None:
    async def answer(_: Request) -> Response:
        return Response(status_code=302, headers={"Location": "http://host:port/"})

    with asking(answer) as ask, pytest.raises(Passing, match="Invalid URL in location header"):
        ask("start")


def test_a_system_that_never_stops_asking_for_pauses_is_left_until_the_next_poll(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "MOST_PAUSES", 1)
    monkeypatch.setattr(http, "TRIES", 1)
    budget = Budget()

    async def answer(_: Request) -> Response:
        return PlainTextResponse("slow down", 429, {"Retry-After": "100"})

    with asking(answer, budget) as ask, pytest.raises(Passing, match="limits our requests and doesn't stop"):
        ask("start")
    assert 95 < budget.blocked_for() <= 100


@pytest.mark.parametrize("asked", ["inf", "1e300", "99999999", "Fri, 31 Dec 2100 00:00:00 GMT"])
def test_no_answer_makes_us_pause_for_longer_than_a_limit_lasts(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setattr(http, "MOST_PAUSES", 1)
    monkeypatch.setattr(http, "TRIES", 1)
    budget = Budget()

    async def answer(_: Request) -> Response:
        return PlainTextResponse("slow down", 429, {"Retry-After": asked})

    with asking(answer, budget) as ask, pytest.raises(Passing):
        ask("start")
    assert LONGEST_WINDOW - 10 < budget.blocked_for() <= LONGEST_WINDOW


@pytest.mark.parametrize(
    ("status", "words", "pause"), [(429, "slow down", 60), (403, "A secondary Rate Limit.", 60), (403, "no", 0)]
)
def test_a_limit_that_says_nothing_of_its_end_is_left_alone_for_a_minute(
    monkeypatch: pytest.MonkeyPatch, status: int, words: str, pause: int
) -> None:
    monkeypatch.setattr(http, "MOST_PAUSES", 1)
    monkeypatch.setattr(http, "TRIES", 1)
    budget = Budget()

    async def answer(_: Request) -> Response:
        return PlainTextResponse(words, status)

    with asking(answer, budget) as ask, pytest.raises(Passing if pause else Refused):
        ask("start")
    assert max(0, pause - 5) <= budget.blocked_for() <= pause


def test_a_fault_of_the_server_is_tried_again_and_its_wish_to_wait_is_kept() -> None:
    budget, answers = Budget(), ["down", '{"a": 1}']

    async def answer(_: Request) -> Response:
        said = answers.pop(0)
        return PlainTextResponse(said, 503, {"Retry-After": "1"}) if said == "down" else PlainTextResponse(said)

    with asking(answer, budget) as ask:
        assert ask("start").body == {"a": 1}
    assert (budget.requests, answers) == (2, [])


def test_a_fault_that_stays_is_told_with_what_the_next_poll_does() -> None:
    async def answer(_: Request) -> Response:
        return PlainTextResponse("down", 502)

    with asking(answer) as ask, pytest.raises(Passing, match=r"answered 502, 2 times in a row. The next poll tries"):
        ask("start")


def test_what_is_no_json_is_tried_again_and_then_told() -> None:
    asked: list[str] = []

    async def answer(request: Request) -> Response:
        asked.append(request.url.path)
        return PlainTextResponse("<html>Sign in</html>")

    with asking(answer) as ask, pytest.raises(Passing, match="something that is no JSON"):
        ask("start")
    assert len(asked) == 2


def test_a_document_that_drips_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LONGEST_ANSWER", 0.2)

    async def drops() -> Iterator[bytes]:  # type: ignore[misc]
        for _ in range(100):
            yield b" "
            await asyncio.sleep(0.05)

    async def answer(_: Request) -> Response:
        return StreamingResponse(drops())

    with asking(answer) as ask, pytest.raises(Passing, match="took more than"):
        ask("start")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"message": "Not for you"}', "Not for you"),
        ("  Not\n for   you ", "Not for you"),
        ('["a list"]', '["a list"]'),
        ("", "Forbidden"),
    ],
)
def test_a_refusal_is_told_in_the_systems_own_words(body: str, said: str) -> None:
    async def answer(_: Request) -> Response:
        return PlainTextResponse(body, 403)

    with asking(answer) as ask, pytest.raises(Refused) as refused:
        ask("start")
    assert (refused.value.said, refused.value.http_status) == (said, 403)


@pytest.mark.parametrize(
    ("header", "seconds"), [("", None), ("7", 7), ("0.5", 0.5), ("-3", 0), ("soon", None), ("nan", 0)]
)
def test_a_wish_to_wait_is_read_in_seconds(header: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": header}) == seconds


def test_a_wish_to_wait_may_be_a_date_by_the_servers_own_clock() -> None:
    there = datetime.now(UTC) + timedelta(days=3)
    until = format_datetime(there + timedelta(seconds=90), usegmt=True)
    assert retry_after({"retry-after": until, "date": format_datetime(there, usegmt=True)}) == 90
    assert retry_after({"retry-after": until}) == pytest.approx(3 * 86400 + 90, abs=30)
