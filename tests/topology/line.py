"""A TCP line to a server on this machine that can be cut."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

BLOCK = 4096


class Line:
    """Carries connections to a port of 127.0.0.1.

    Attributes:
        port: to connect to.
        cuts: each is a number of bytes; a connection over which the server has sent so many is cut, once a cut.
    """

    def __init__(self, to: int) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cuts: list[int] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                for ends in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, may_cut: bool) -> None:
        carried = 0
        with suppress(OSError):
            while block := source.recv(BLOCK):
                carried += len(block)
                if may_cut and self.cuts and carried > self.cuts[0]:
                    self.cuts.pop(0)
                    break
                target.sendall(block)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def line(to: int) -> Iterator[Line]:
    carrying = Line(to)
    try:
        yield carrying
    finally:
        carrying.close()
