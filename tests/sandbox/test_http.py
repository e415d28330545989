"""Serving an application for the length of a block."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI

from sandbox.http import serve

app = FastAPI()


@app.get("/ping")
async def ping() -> str:
    return "pong"


def test_it_answers_inside_the_block_and_not_after() -> None:
    with serve(app) as url:
        assert httpx.get(f"{url}/ping").json() == "pong"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/ping")


def test_two_at_once_take_different_ports() -> None:
    with serve(app) as one, serve(app) as two:
        assert one != two
        assert httpx.get(f"{one}/ping").json() == httpx.get(f"{two}/ping").json()


def test_a_port_can_be_named_and_taken_ports_are_refused() -> None:
    with serve(app) as url:
        port = urlsplit(url).port
        with pytest.raises(OSError, match="in use"), serve(app, port=port or 0):
            pass
    with serve(app, port=port or 0) as again:
        assert httpx.get(f"{again}/ping").json() == "pong"


def test_an_application_that_does_not_start_is_reported() -> None:
    broken = FastAPI()

    @broken.router.on_startup.append
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(RuntimeError, match="did not start"), serve(broken):
        pass


def test_the_port_is_free_again_at_once() -> None:
    with serve(app) as url:
        port = urlsplit(url).port
    with socket.create_server(("127.0.0.1", port)):
        pass
