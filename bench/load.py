"""A cheap load generator: signed requests built beforehand, raw keep-alive connections, in a process of its own."""

import asyncio
import multiprocessing
import statistics
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from bench.payloads import Call, calls
from bench.processes import SECRET
from ingest.providers.github.signature import signature

ANSWER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: the deliveries of `runs` runs from `first_run` on, over `connections` at once."""

    port: int
    runs: int
    first_run: int
    connections: int = 64


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a load: ids answered with 200, how many answers were others, latencies and duration in seconds."""

    acknowledged: list[str] = field(repr=False)
    refused: int
    latencies: list[float] = field(repr=False)
    seconds: float

    @property
    def rate(self) -> float:
        """Acknowledged deliveries per second."""
        return len(self.acknowledged) / self.seconds

    def percentile(self, percent: int) -> float:
        """Latency in seconds that `percent` of 100 answers stayed below."""
        return statistics.quantiles(self.latencies, n=100)[percent - 1]


@contextmanager
def generator() -> Iterator[ProcessPoolExecutor]:
    """The process that sends; it is started once, so that its start doesn't fall into a measurement."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def send(load: Load) -> Outcome:
    """Send everything and wait for the answers; returns early when the server goes away."""
    return send_calls(load.port, calls(load.runs, first_run=load.first_run), load.connections)


def send_calls(port: int, wanted: Sequence[Call], connections: int) -> Outcome:
    """As `send`, of calls that somebody else made."""
    requests = deque(_request(call.event, call.delivery_id, call.body, port) for call in wanted)
    return asyncio.run(_send(port, connections, requests))


def send_steadily(load: Load, rate: float) -> Outcome:
    """Send `rate` deliveries a second, each on time whether or not earlier ones were answered, and wait for all answers."""
    requests = [_request(c.event, c.delivery_id, c.body, load.port) for c in calls(load.runs, first_run=load.first_run)]
    return asyncio.run(_send_steadily(load, requests, rate))


def _request(event: str, delivery_id: str, body: bytes, port: int) -> tuple[str, bytes]:
    head = (
        "POST /api/v1/webhook/github-actions HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\n"
        "User-Agent: GitHub-Hookshot/bench\r\n"
        "Accept: */*\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"X-GitHub-Event: {event}\r\n"
        f"X-GitHub-Delivery: {delivery_id}\r\n"
        f"X-Hub-Signature-256: {signature(body, SECRET)}\r\n\r\n"
    )
    return delivery_id, head.encode() + body


async def _send(port: int, number: int, requests: deque[tuple[str, bytes]]) -> Outcome:
    loop = asyncio.get_running_loop()
    connections = []
    with suppress(ConnectionRefusedError):  # killed before all had connected
        for _ in range(number):
            _, connection = await loop.create_connection(lambda: _Connection(requests), "127.0.0.1", port)
            connections.append(connection)
    begun = time.perf_counter()
    for connection in connections:
        connection.send_next()
    await _ended(connections)
    return _outcome(connections, time.perf_counter() - begun)


async def _ended(connections: "Sequence[_Connection]") -> None:
    """Wait for all to end. Raises TimeoutError where no answer came for ANSWER_SECONDS, however long all take."""
    ended = asyncio.gather(*(connection.ended for connection in connections))
    answered = -1
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(ended), ANSWER_SECONDS)
            return
        before, answered = answered, sum(len(connection.latencies) for connection in connections)
        if answered == before:
            raise TimeoutError(f"no answer for {ANSWER_SECONDS:g} s, after {answered}")


def _outcome(connections: "Sequence[_Connection]", seconds: float) -> Outcome:
    return Outcome(
        acknowledged=[delivery_id for connection in connections for delivery_id in connection.acknowledged],
        refused=sum(connection.refused for connection in connections),
        latencies=[latency for connection in connections for latency in connection.latencies],
        seconds=seconds,
    )


async def _send_steadily(load: Load, requests: list[tuple[str, bytes]], rate: float) -> Outcome:
    loop = asyncio.get_running_loop()
    waiting: deque[tuple[str, bytes]] = deque()
    idle: deque[_Connection] = deque()
    connections = []
    for _ in range(load.connections):
        _, connection = await loop.create_connection(lambda: _Waiting(waiting, idle), "127.0.0.1", load.port)
        connections.append(connection)
    idle.extend(connections)
    begun = time.perf_counter()
    for number, request in enumerate(requests):
        await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
        waiting.append(request)
        if idle:
            idle.popleft().send_next()
    async with asyncio.timeout(ANSWER_SECONDS):
        while len(idle) < len(connections):  # noqa: ASYNC110 -- what a burst leaves is seen soon enough
            await asyncio.sleep(0.01)
    seconds = time.perf_counter() - begun
    for connection in connections:
        connection.close()
    return _outcome(connections, seconds)


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the last one is answered, until none is left or the server goes away."""

    def __init__(self, requests: deque[tuple[str, bytes]]) -> None:
        self._requests = requests
        self._answer = b""
        self._delivery_id = ""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.acknowledged: list[str] = []
        self.refused = 0
        self.latencies: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def send_next(self) -> None:
        assert self._transport
        if not self._requests:
            self.close()
            return
        self._delivery_id, request = self._requests.popleft()
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def close(self) -> None:
        assert self._transport
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head_end = self._answer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        length = self._answer.lower().index(b"content-length: ", 0, head_end + 2) + 16
        body_length = int(self._answer[length : self._answer.index(b"\r\n", length)])
        if len(self._answer) < head_end + 4 + body_length:
            return
        self.latencies.append(time.perf_counter() - self._sent_at)
        if self._answer.startswith(b"HTTP/1.1 200"):
            self.acknowledged.append(self._delivery_id)
        else:
            self.refused += 1
        self._answer = b""
        self.send_next()


class _Waiting(_Connection):
    """Stays open without a request, and says that it has none."""

    def __init__(self, requests: deque[tuple[str, bytes]], idle: "deque[_Connection]") -> None:
        super().__init__(requests)
        self._idle = idle

    def send_next(self) -> None:
        if self._requests:
            super().send_next()
        else:
            self._idle.append(self)
