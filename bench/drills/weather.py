"""A connection to somebody else's server that is fine, dead or slow on command."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Mood = Literal["fine", "dead", "slow"]


class Weather:
    """Listens on a port of its own. Fine: passes all on to `target`. Dead: hangs up. Slow: takes, and says nothing."""

    def __init__(self, target: int) -> None:
        self.mood: Mood = "fine"
        self._target = target
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._listen, daemon=True).start()

    def change(self, mood: Mood) -> None:
        """From now on, and for those that are connected, too: what was slow ends."""
        self.mood = mood
        was_open, self._open = self._open, []
        for connection in was_open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
        self.change("dead")

    def _listen(self) -> None:
        with suppress(OSError):  # closed
            while True:
                caller, _ = self._listener.accept()
                if self.mood == "dead":
                    caller.close()
                    continue
                self._open.append(caller)
                if self.mood == "fine":
                    server = socket.create_connection(("127.0.0.1", self._target))
                    self._open.append(server)
                    for pair in ((caller, server), (server, caller)):
                        threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def weather(*targets: int) -> Iterator[list[Weather]]:
    """One for each port."""
    made = [Weather(target) for target in targets]
    try:
        yield made
    finally:
        for each in made:
            each.close()
