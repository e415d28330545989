"""Writing most of a table at once: its indexes are built afterwards, which takes a fraction of keeping them up."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection

from amazon_support.warehouse.steps import run_step


@contextmanager
def without_indexes(connection: Connection, tables: Sequence[str]) -> Iterator[None]:
    """Takes indexes and primary keys of tables (as schema.name) away and builds them again at the end.

    In the caller's transaction: until it ends, others who read these tables wait, and if it fails nothing has changed.
    """
    found = run_step(connection, "ops/indexes_of.sql", {"tables": list(tables)}).all()
    for index in found:
        connection.exec_driver_sql(index.drop_statement)
    yield
    for index in found:
        connection.exec_driver_sql(index.create_statement)
