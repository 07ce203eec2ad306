"""A way to a server that can turn into a black hole: connections stay open, and nothing gets through."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class BlackHole:
    """Listens on loopback and passes on what it gets, in both directions, while `is_open` is set."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.is_open = threading.Event()
        self.is_open.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                near, _ = self._listener.accept()
                self.is_open.wait()
                far = socket.create_connection(self._server)
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self.is_open.wait()
                target.sendall(data)
            self.is_open.wait()
            target.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._listener.close()
        self.is_open.set()


@contextmanager
def black_hole(host: str, port: int) -> Iterator[BlackHole]:
    hole = BlackHole(host, port)
    try:
        yield hole
    finally:
        hole.close()
