"""Viewers without a browser: sessions over Streamlit's own WebSocket protocol, refreshed as the page asks for it.

A browser sends the same messages: one run of the script on arrival, then one of the live fragment each interval.
"""

import asyncio
import statistics
import time
from dataclasses import dataclass, field

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

# The messages that end a run or ask for refreshes are short; the long ones are drawings, which are only counted.
SHORT = 400
ARRIVAL_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Watch:
    """Who watches: `viewers` sessions of the page at `port`, each refreshed every `interval` s for `seconds` after arrival."""

    port: int
    viewers: int
    interval: float
    seconds: float


@dataclass(slots=True)
class Seen:
    """What the viewers saw: seconds of each arrival and refresh, refreshes that came too late to keep the interval, bytes."""

    arrivals: list[float] = field(default_factory=list)
    refreshes: list[float] = field(default_factory=list)
    late: int = 0
    failed: int = 0
    received: int = 0

    def percentile(self, percent: int) -> float:
        """Seconds that `percent` of 100 refreshes stayed below."""
        return statistics.quantiles(self.refreshes, n=100)[percent - 1] if len(self.refreshes) > 1 else float("nan")


def watch(asked: Watch) -> Seen:
    """Let the viewers come over one interval, then refresh; returns when all have gone."""
    return asyncio.run(_watch(asked))


async def _watch(asked: Watch) -> Seen:
    seen = Seen()
    begun = time.perf_counter()
    ends = begun + asked.interval + asked.seconds
    viewers = (
        _view(asked, seen, begun + asked.interval * number / asked.viewers, ends) for number in range(asked.viewers)
    )
    await asyncio.gather(*viewers)
    return seen


async def _view(asked: Watch, seen: Seen, arrives_at: float, ends: float) -> None:
    await asyncio.sleep(arrives_at - time.perf_counter())
    address = f"ws://127.0.0.1:{asked.port}/_stcore/stream"
    async with websockets.connect(address, subprotocols=[websockets.Subprotocol("streamlit")], max_size=None) as socket:
        async with asyncio.timeout(ARRIVAL_SECONDS):
            took, fragment = await _run(socket, _request(""), seen)
        seen.arrivals.append(took)
        due = arrives_at + asked.interval
        while due < ends and fragment:
            await asyncio.sleep(due - time.perf_counter())
            async with asyncio.timeout(ARRIVAL_SECONDS):
                took, _ = await _run(socket, _request(fragment), seen)
            seen.refreshes.append(took)
            due += asked.interval
            while due < time.perf_counter():
                seen.late += 1
                due += asked.interval


async def _run(socket: websockets.ClientConnection, request: bytes, seen: Seen) -> tuple[float, str]:
    """Ask for a run; returns its seconds, and the fragment that the page wants refreshed ("" if none)."""
    begun, fragment = time.perf_counter(), ""
    await socket.send(request)
    while True:
        data = await socket.recv(decode=False)
        seen.received += len(data)
        if len(data) > SHORT:
            continue
        message = ForwardMsg.FromString(data)
        kind = message.WhichOneof("type")
        if kind == "auto_rerun":
            fragment = message.auto_rerun.fragment_id
        if kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            seen.failed += message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR
            return time.perf_counter() - begun, fragment


def _request(fragment: str) -> bytes:
    message = BackMsg()
    message.rerun_script.query_string = ""
    message.rerun_script.fragment_id = fragment
    message.rerun_script.is_auto_rerun = bool(fragment)
    message.rerun_script.context_info.timezone = "Europe/Berlin"
    return message.SerializeToString()
