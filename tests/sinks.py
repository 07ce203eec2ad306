"""Receivers of messages that fail on command: HTTP as Slack's, and a mail server."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.conftest import free_port


class Sink:
    """Takes what Slack would take; answers with `status` and `headers`, and while `gate` is shut not at all.

    `calls` holds every call that came, `bodies` those that were taken.
    """

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.calls: list[dict[str, Any]] = []
        self.bodies: list[dict[str, Any]] = []
        self.gate = threading.Event()
        self.gate.set()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                sink.calls.append(body)
                if sink.status == 200:
                    sink.bodies.append(body)
                sink.gate.wait(30)
                self.send_response(sink.status)
                for name, value in sink.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"ok" if sink.status == 200 else f"invalid_token at {self.path}".encode())

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/T0/B0/secret"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def texts(self) -> list[str]:
        """The first lines of what was taken."""
        return [body["text"].split("\n")[0] for body in self.bodies]


class Mails:
    def __init__(self) -> None:
        self.port = free_port()
        self.contents: list[str] = []
        self.answer = "250 OK"

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802
        self.contents.append(envelope.content.decode())
        return self.answer


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.gate.set()
    sink.server.shutdown()


@pytest.fixture
def mails() -> Iterator[Mails]:
    mails = Mails()
    controller = Controller(mails, hostname="127.0.0.1", port=mails.port)
    controller.start()
    yield mails
    controller.stop()
