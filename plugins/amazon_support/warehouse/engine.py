"""Where the warehouse is, and how it is reached."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import OperationalError

URL_VARIABLE = "AMAZON_SUPPORT_WAREHOUSE"


class WarehouseError(Exception):
    """The warehouse cannot be used; the message says why and what to do."""


def warehouse_url() -> str:
    """URL of the warehouse from the environment.

    Raises: WarehouseError if nothing names one.
    """
    url = os.environ.get(URL_VARIABLE)
    if not url:
        raise WarehouseError(
            f"No warehouse: set {URL_VARIABLE}=postgresql://user:password@host/database "
            "(or, in Airflow, the connection amazon_support_warehouse)."
        )
    return url


def engine(url: str | None = None) -> Engine:
    """SQLAlchemy engine on the warehouse; sessions speak UTC.

    Args:
        url: any postgresql:// URL; default: the one named by the environment.
    """
    target = make_url(url or warehouse_url()).set(drivername="postgresql+psycopg")
    return create_engine(
        target,
        pool_pre_ping=True,
        connect_args={"options": "-c timezone=UTC", "application_name": "amazon_support"},
    )


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
            where = bound.url.render_as_string(hide_password=True)
            raise WarehouseError(f"The warehouse at {where} does not answer: is the server running?") from error
        raise
    finally:
        bound.dispose()
