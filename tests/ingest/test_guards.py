"""Guards by themselves: an open service answers on loopback only, windows survive a clock, errors keep secrets."""

import asyncio
import time

import httpx
import pytest
from fastapi import FastAPI
from limits import parse

from core.settings import load_settings, settings
from ingest.errors import install
from ingest.guards.exposure import Exposure
from ingest.guards.windows import Windows


def asked(app: FastAPI | Exposure, host: str, path: str = "/", method: str = "GET") -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.request(method, path)

    return asyncio.run(ask())


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    install(app)

    @app.get("/")
    def fine() -> str:
        return "fine"

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("password=hunter2")

    return app


@pytest.mark.parametrize(
    ("host", "environment", "status"),
    [
        ("127.0.0.1:8000", {}, 200),
        ("192.0.2.7:8000", {}, 403),
        ("[2001:db8::1]:8000", {}, 403),
        ("192.0.2.7:8000", {"API_WRITE_KEY": "k" * 16}, 200),
        ("192.0.2.7:8000", {"DEMO_MODE": "true"}, 200),
    ],
)
def test_a_service_without_a_key_answers_on_loopback_only(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, host: str, environment: dict[str, str], status: int
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    answer = asked(Exposure(app), host)  # type: ignore[arg-type]
    assert answer.status_code == status
    if status == 403:
        assert "API_WRITE_KEY" in answer.json()["error"]["message"]


def test_an_unexpected_error_has_the_one_shape_and_tells_nothing(app: FastAPI) -> None:
    answer = asked(app, "127.0.0.1", "/broken")
    assert answer.status_code == 500
    assert answer.json()["error"] == {
        "code": "internal_error",
        "message": "Something went wrong; the log has the details.",
        "details": {},
    }
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/none", 404), ("POST", "/", 405)])
def test_what_is_not_there_has_the_one_shape_too(app: FastAPI, method: str, path: str, status: int) -> None:
    answer = asked(app, "127.0.0.1", path, method)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "timestamp", "request_id"}


def test_a_clock_that_is_set_back_lets_no_caller_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    windows, two = Windows(load_settings), parse("2/minute")

    def hit() -> bool:
        return asyncio.run(windows.hit(two, "198.51.100.7"))

    assert [hit(), hit(), hit()] == [True, True, False]
    now[0] += 30
    assert not hit()
    now[0] -= 86_400
    assert [hit(), hit(), hit()] == [True, True, False]
    assert asyncio.run(windows.state(two, "198.51.100.7")).remaining == 0
