"""A warehouse that is asked too much: everybody has a turn or is told at once, and nobody waits for ever."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache

import pytest
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import Engine
from visitors import Browser

from amazon_support.web import app, state

Ask = Callable[[], Awaitable[Response]]


@asynccontextmanager
async def many_visitors(browser: Browser) -> AsyncIterator[Ask]:
    """Asks for a lead's worklist; several at once are served by one worker, as an api-server has it."""
    browser("lea")
    async with AsyncClient(transport=ASGITransport(app), base_url="http://pages") as client:
        yield lambda: client.get("/worklist", headers={"accept": "text/html"}, timeout=None)


@pytest.fixture
def lent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that are this test's own: other tests have other limits."""
    monkeypatch.setattr(state, "_engine", cache(state._engine.__wrapped__))


def test_more_visitors_than_threads_and_connections_all_get_their_page(
    lent: None, monkeypatch: pytest.MonkeyPatch, browser: Browser
) -> None:
    monkeypatch.setattr(state, "PATIENCE", 120)

    async def ask() -> list[Response]:
        async with many_visitors(browser) as page:
            return await asyncio.gather(*(page() for _ in range(100)))

    assert Counter(answer.status_code for answer in asyncio.run(ask())) == {200: 100}


def test_who_gets_no_connection_in_time_is_told_to_try_again(
    lent: None, monkeypatch: pytest.MonkeyPatch, browser: Browser, warehouse: Engine
) -> None:
    monkeypatch.setattr(state, "PATIENCE", 0.5)

    async def ask() -> tuple[Response, list[Response]]:
        async with many_visitors(browser) as page:
            with warehouse.begin() as connection:
                connection.exec_driver_sql("lock table mart.worklist_item in access exclusive mode")
                asking = [asyncio.create_task(page()) for _ in range(state.CONNECTIONS + 1)]
                (first, *_), others = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            return first.result(), await asyncio.gather(*others)

    told, served = asyncio.run(ask())
    assert (told.status_code, told.headers["retry-after"]) == (503, "5")
    assert "All connections to the warehouse are in use. Try again in a few seconds." in told.text
    assert Counter(answer.status_code for answer in served) == {200: state.CONNECTIONS}


def test_a_query_that_takes_too_long_is_ended(
    lent: None, monkeypatch: pytest.MonkeyPatch, browser: Browser, warehouse: Engine
) -> None:
    monkeypatch.setattr(state, "LONGEST_QUERY", "200ms")
    with warehouse.begin() as connection:
        connection.exec_driver_sql("lock table mart.worklist_item in access exclusive mode")
        answer = browser("lea").get("/worklist")
    assert answer.status_code == 503
    assert "This took longer than 200ms. Ask for less: a filter helps." in answer.text
    assert browser("lea").get("/worklist").status_code == 200
