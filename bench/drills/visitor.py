"""People who have a page of the dashboard open: Streamlit's own protocol over a WebSocket, without a browser."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

# A page that says nothing for this long is drawn.
QUIET_SECONDS = 0.3


@contextmanager
def visiting(address: str, people: int) -> Iterator[None]:
    """`people` sessions that run the first page again and again while the `with` block lasts, or the dashboard does."""
    ended = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_visit(address, people, ended)), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=30)


async def _visit(address: str, people: int, ended: threading.Event) -> None:
    stream = f"ws{address.removeprefix('http')}/_stcore/stream"
    await asyncio.gather(*(_person(stream, ended) for _ in range(people)))


async def _person(stream: str, ended: threading.Event) -> None:
    again = BackMsg()
    again.rerun_script.query_string = ""
    with suppress(OSError, WebSocketException):  # killed
        async with connect(stream, subprotocols=["streamlit"], max_size=None) as connection:  # type: ignore[list-item]
            while not ended.is_set():
                await connection.send(again.SerializeToString())
                with suppress(TimeoutError):
                    while True:
                        await asyncio.wait_for(connection.recv(), QUIET_SECONDS)
