"""Runs a web application on a real port for as long as a `with` block lasts."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn


@contextmanager
def serve(app: Any, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serves an ASGI application from a thread; yields its base URL, such as http://127.0.0.1:34567.

    Args:
        host: an IPv4 address or a name for one.
        port: 0 takes any free port.

    Raises: OSError if the port is taken, RuntimeError if the application does not start.
    """
    listener = socket.create_server((host, port))
    # log_config=None: leave logging to the program. No access log: its URLs grant access to documents.
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, log_level="warning"))

    def run() -> None:
        with suppress(SystemExit):  # how uvicorn ends when the application does not start
            server.run([listener])

    thread = threading.Thread(target=run, name="sandbox http", daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        if not server.started:
            raise RuntimeError(f"The server on {host} did not start; the log says why.")
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
