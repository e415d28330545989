"""What every page needs: the settings of now, the warehouse, the time."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, lru_cache
from time import monotonic
from typing import Annotated

import anyio
import psycopg
from fastapi import Depends, HTTPException
from psycopg.errors import QueryCanceled
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from amazon_support import settings
from amazon_support.settings import Settings
from amazon_support.settings.load import FILES, settings_file
from amazon_support.warehouse import engine
from amazon_support.warehouse.engine import warehouse_url

PAGES_VARIABLE = "AMAZON_SUPPORT_PAGES_WAREHOUSE"  # URL with a user of the role support_pages
CONNECTIONS = 10  # to the warehouse, of one worker of the api-server, for pages
SPARE_CONNECTIONS = 2  # for the health endpoint, which must not wait for pages
PATIENCE = 5  # seconds that a request waits for a connection: people press again rather than wait longer
LONGEST_QUERY = "30s"
# Filters that are not asked for are null: a plan made for any values would read everything. Sorting the lists of a lead
# needs a few megabytes; compiling a query takes longer than running it; sorting tens of thousands of keys to merge them
# takes longer than hashing them.
QUERIES = {
    "plan_cache_mode": "force_custom_plan",
    "work_mem": "32MB",
    "jit": "off",
    "enable_mergejoin": "off",
    "cursor_tuple_fraction": "1",  # a file is read to its end
}
URL_SECONDS = 10  # until a change of the connection in Airflow counts
BUSY = "All connections to the warehouse are in use. Try again in a few seconds."

_free = anyio.Semaphore(CONNECTIONS)
_loaded: dict[str, tuple[tuple[int, ...], Settings]] = {}


def current_settings() -> Settings:
    """The settings, read anew when a file has changed.

    Raises: SettingsError with file, line and what was expected.
    """
    written = tuple(settings_file(name).stat().st_mtime_ns for name in FILES.values())
    if "settings" not in _loaded or _loaded["settings"][0] != written:
        _loaded["settings"] = (written, settings.load())
    return _loaded["settings"][1]


@cache
def _engine(url: str) -> Engine:
    pool = {"pool_size": CONNECTIONS, "max_overflow": SPARE_CONNECTIONS, "pool_timeout": PATIENCE}
    return engine(url, pool=pool, statement_timeout=LONGEST_QUERY, **QUERIES)


@lru_cache(maxsize=1)
def _named_in_airflow(span: int) -> str | None:
    """URL in Airflow's connection, asked for once in a span of time: asking takes longer than many a page."""
    from amazon_support.orchestration import hooks

    return hooks.warehouse_url()


@contextmanager
def warehouse_connection() -> Iterator[Connection]:
    """One transaction on the warehouse."""
    url = os.environ.get(PAGES_VARIABLE) or _named_in_airflow(int(monotonic() / URL_SECONDS)) or warehouse_url()
    with _engine(url).begin() as connection:
        yield connection


async def _turn() -> AsyncIterator[None]:
    """Lets as many requests through as there are connections, in the order in which they came. Who waits holds no
    thread: those who have a connection need one to go on.

    Raises: HTTPException 503 if it takes too long.
    """
    try:
        with anyio.fail_after(PATIENCE):
            await _free.acquire()
    except TimeoutError as error:
        raise HTTPException(503, BUSY, headers={"Retry-After": "5"}) from error
    try:
        yield
    finally:
        _free.release()


def warehouse(turn: Annotated[None, Depends(_turn, scope="function")]) -> Iterator[Connection]:
    """One transaction on the warehouse a request, committed before the answer goes out: who is led on sees it there.

    Raises: HTTPException 503 if the warehouse does not answer, or not in time.
    """
    try:
        with warehouse_connection() as connection:
            yield connection
    except (OperationalError, psycopg.OperationalError) as error:
        if isinstance(error.orig if isinstance(error, OperationalError) else error, QueryCanceled):
            raise HTTPException(503, f"This took longer than {LONGEST_QUERY}. Ask for less: a filter helps.") from error
        raise HTTPException(503, "The warehouse does not answer. The pages come back when it does.") from error


# Those that are asked for without waiting are asynchronous: each turn of a thread costs more than they do.


async def now() -> datetime:
    """The instant of a request, aware UTC."""
    return datetime.now(UTC)


async def _settings() -> Settings:
    return current_settings()


SettingsDep = Annotated[Settings, Depends(_settings)]
WarehouseDep = Annotated[Connection, Depends(warehouse, scope="function")]
NowDep = Annotated[datetime, Depends(now)]
