"""What every test may use: a real PostgreSQL, one empty migrated database a test."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from amazon_support.warehouse import engine, migrate
from amazon_support.warehouse.embedded import EmbeddedServer

# Airflow reads this when it is first imported, and would write to the user's home otherwise.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-")

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: most mistakes show before the slow ones begin."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A PostgreSQL 18 for the session, with a migrated template database."""
    with EmbeddedServer(tmp_path_factory.mktemp("postgres")) as server:
        # What tests write need not survive the machine; stopping would wait for the disk.
        with engine(server.url()).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("alter system set fsync = off")
            connection.exec_driver_sql("select pg_reload_conf()")
        migrate.upgrade(server.ensure_database("migrated"))
        yield server


@pytest.fixture
def warehouse_url(postgres: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """URL of a migrated, empty warehouse; the environment names it too."""
    url = postgres.ensure_database(f"test_{next(_numbers)}", template="migrated")
    monkeypatch.setenv("AMAZON_SUPPORT_WAREHOUSE", url)
    return url


@pytest.fixture
def warehouse(warehouse_url: str) -> Iterator[Engine]:
    bound = engine(warehouse_url)
    yield bound
    bound.dispose()


@pytest.fixture
def connection(warehouse: Engine) -> Iterator[Connection]:
    """One transaction on an empty warehouse, rolled back at the end."""
    with warehouse.connect() as connection:
        yield connection


@pytest.fixture
def repository() -> Path:
    return Path(__file__).resolve().parents[1]
