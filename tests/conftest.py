"""What every test may use: a real PostgreSQL, one empty migrated database a test."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from clean_databases import TEMPLATE, CleanDatabases
from sqlalchemy import Connection, Engine

from amazon_support.warehouse import connect, engine, migrate
from amazon_support.warehouse.embedded import EmbeddedServer
from amazon_support.warehouse.roles import make_roles

# Airflow reads this when it is first imported, and would write to the user's home otherwise.
_airflow_home = tempfile.TemporaryDirectory(prefix="airflow-", ignore_cleanup_errors=True)
os.environ["AIRFLOW_HOME"] = _airflow_home.name

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("calm", deadline=None)
hypothesis.settings.load_profile("calm")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--remake-golden", action="store_true", help="Write golden files anew instead of comparing.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: most mistakes show before the slow ones begin."""
    items.sort(key=_is_slow)


def _is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None


def on_server(server: EmbeddedServer, *statements: str) -> None:
    """Runs statements that belong to no database and no transaction."""
    bound = engine(server.url())
    with bound.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    bound.dispose()


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedServer]:
    """A PostgreSQL 18 for the session, with a migrated template database."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder, EmbeddedServer(Path(folder)) as server:
        # What tests write need not survive the machine; stopping would wait for the disk.
        on_server(
            server,
            "alter system set fsync = off",
            "alter system set max_wal_size = '128MB'",
            "select pg_reload_conf()",
        )
        url = server.ensure_database(TEMPLATE)
        migrate.upgrade(url)
        with connect(url) as connection:  # every test has the roles, and a user for its pages
            make_roles(connection)
        on_server(server, "create role pages login in role support_pages")
        yield server


@pytest.fixture(scope="session")
def databases(postgres: EmbeddedServer) -> CleanDatabases:
    return CleanDatabases(postgres)


@pytest.fixture
def warehouse_url(databases: CleanDatabases, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of a migrated, empty warehouse; the environment names it too."""
    url = databases.take()
    monkeypatch.setenv("AMAZON_SUPPORT_WAREHOUSE", url)
    yield url
    databases.give_back(url)


@pytest.fixture(scope="module")
def module_warehouse(databases: CleanDatabases) -> Iterator[Engine]:
    """A warehouse that the tests of a module look at, after something slow filled it once."""
    url = databases.take()
    bound = engine(url)
    yield bound
    bound.dispose()
    databases.give_back(url)


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
