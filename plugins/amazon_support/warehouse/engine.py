"""Where the warehouse is, and how it is reached."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

URL_VARIABLE = "AMAZON_SUPPORT_WAREHOUSE"


class WarehouseError(Exception):
    """The warehouse cannot be used; the message says why and what to do."""


def warehouse_url() -> str:
    """URL of the warehouse from the environment: from the variable itself, or from the file that <name>_FILE names.

    Raises: WarehouseError if nothing names one, or the file cannot be read.
    """
    url = os.environ.get(URL_VARIABLE) or _secret_file()
    if not url:
        raise WarehouseError(
            f"No warehouse: set {URL_VARIABLE}=postgresql://user:password@host/database "
            "(or, in Airflow, the connection amazon_support_warehouse)."
        )
    return url


def _secret_file() -> str:
    """A secret as containers get it: a file, so that no list of processes or environments shows it."""
    path = os.environ.get(f"{URL_VARIABLE}_FILE")
    if not path:
        return ""
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise WarehouseError(f"{URL_VARIABLE}_FILE names {path}, which cannot be read: {error.strerror}.") from error


def engine(url: str | None = None, *, pool: Mapping[str, Any] | None = None, **settings: str) -> Engine:
    """SQLAlchemy engine on the warehouse; sessions speak UTC.

    Args:
        url: any postgresql:// URL; default: the one named by the environment.
        pool: arguments of SQLAlchemy's pool, such as pool_size.
        settings: further ones of PostgreSQL for each session.
    """
    target = make_url(url or warehouse_url()).set(drivername="postgresql+psycopg")
    options = " ".join(f"-c {name}={value}" for name, value in {"timezone": "UTC", **settings}.items())
    return create_engine(
        target,
        pool_pre_ping=True,
        connect_args={"options": options, "application_name": "amazon_support"},
        **(pool or {}),
    )


def ensure_database(url: str, name: str | None = None, *, template: str = "template1") -> str:
    """Makes the database on the server of `url` if it is not there. Returns its name.

    Args:
        url: of any database of the server. name: default: the database that `url` names.
        template: database to copy.

    Raises: WarehouseError if the server cannot be reached.
    """
    target = make_url(url)
    name = name or target.database or "warehouse"
    maintenance = engine(target.set(database="postgres").render_as_string(hide_password=False))
    try:
        with maintenance.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.execute(text("select 1 from pg_database where datname = :name"), {"name": name}).scalar():
                quote = connection.dialect.identifier_preparer.quote
                connection.exec_driver_sql(f"create database {quote(name)} template {quote(template)}")
    except OperationalError as error:
        raise _unreachable(maintenance) from error
    finally:
        maintenance.dispose()
    return name


@contextmanager
def connect(url: str | None = None) -> Iterator[Connection]:
    """One connection with one transaction: committed at the end, rolled back on an error.

    Raises: WarehouseError if the server cannot be reached.
    """
    bound = engine(url)
    try:
        with bound.begin() as connection:
            yield connection
    except OperationalError as error:
        if error.connection_invalidated or error.statement is None:
            raise _unreachable(bound) from error
        raise
    finally:
        bound.dispose()


def _unreachable(bound: Engine) -> WarehouseError:
    where = bound.url.render_as_string(hide_password=True)
    return WarehouseError(f"The warehouse at {where} does not answer: is the server running?")
