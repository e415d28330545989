"""Brings a warehouse to the newest schema: Alembic, forward only, each revision one SQL file and one transaction.

Made for a live system: a migration waits for nobody's lock longer than LOCK_TIMEOUT, since whoever comes after it would
wait behind it; it gives way and tries again until PATIENCE has run out.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from amazon_support.settings import home
from amazon_support.warehouse.engine import WarehouseError, connect

log = logging.getLogger(__name__)

# Two processes that migrate at once: the second waits, then finds nothing to do.
MIGRATION_LOCK = 4_711_001
OLDEST_POSTGRES = 17  # COPY knows on_error
LOCK_TIMEOUT = timedelta(seconds=3)
PAUSE = timedelta(seconds=2)  # in which those who waited behind us get on
PATIENCE = timedelta(minutes=15)  # longer than any transaction of the hourly job
GIVE_WAY = {"55P03", "40P01"}  # PostgreSQL: lock_not_available, deadlock_detected


def upgrade(url: str | None = None, *, patience: timedelta = PATIENCE) -> str:
    """Runs every migration that the warehouse has not seen, the oldest first. Returns the revision it is at now.

    Args:
        patience: how long others may hold what a migration needs.

    Raises: WarehouseError if the server cannot be reached, is too old, or has a schema of a newer version; and, naming
        who holds the lock, if a migration got none. What was migrated until then stays; run it again.
    """
    with _alone(url):
        for revision in _missing(url):
            _run(url, revision, time.monotonic() + patience.total_seconds())
    with connect(url) as connection:
        return current_revision(connection) or ""


def current_revision(connection: Connection) -> str | None:
    """Revision the warehouse is at; None if it was never migrated."""
    migrations = MigrationContext.configure(connection, opts={"version_table_schema": "public"})
    revision: str | None = migrations.get_current_revision()
    return revision


def newest_revision() -> str:
    """Revision this version of the library needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def schema_problem(connection: Connection) -> str:
    """Why this version of the library cannot use the warehouse's schema, and what to do; empty: it can."""
    current, newest = current_revision(connection), newest_revision()
    if current == newest:
        return ""
    if current is not None and current not in _revisions():
        return _newer(current)
    return f"schema is at revision {current}, this version needs {newest}: run `python -m amazon_support db upgrade`"


def _newer(current: str) -> str:
    return (
        f"schema is at revision {current}, which this version does not know (its newest is {newest_revision()}): "
        "a newer version has migrated it. Install that version; schemas never go back"
    )


def _revisions() -> list[str]:
    """All that this version knows, the oldest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]


@contextmanager
def _alone(url: str | None) -> Iterator[None]:
    with connect(url) as connection:
        _require_version(connection.exec_driver_sql("show server_version_num").scalar_one())
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({MIGRATION_LOCK})")
        yield


def _missing(url: str | None) -> list[str]:
    with connect(url) as connection:
        current = current_revision(connection)
    known = _revisions()
    if current is None:
        return known
    if current not in known:
        raise WarehouseError(f"The warehouse's {_newer(current)}.")
    return known[known.index(current) + 1 :]


def _run(url: str | None, revision: str, until: float) -> None:
    while True:
        try:
            with connect(url) as connection:
                connection.exec_driver_sql(f"set local lock_timeout = {LOCK_TIMEOUT // timedelta(milliseconds=1)}")
                config = _config()
                config.attributes["connection"] = connection
                command.upgrade(config, revision)
            return
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in GIVE_WAY:
                raise
            if time.monotonic() >= until:
                raise WarehouseError(
                    f"Migration {revision} needs a table that others hold: {_longest_transactions(url)}. Nothing of it "
                    "was done; wait for them, or end them, and run `python -m amazon_support db upgrade` again."
                ) from error
        log.info("Migration %s gives way: a table that it needs is in use", revision)
        time.sleep(PAUSE.total_seconds())


def _longest_transactions(url: str | None) -> str:
    """The oldest open transactions, as a person finds them in pg_stat_activity."""
    with connect(url) as connection:
        found = connection.exec_driver_sql(
            "select pid, application_name, xact_start from pg_stat_activity where datname = current_database() "
            "and xact_start is not null and pid <> pg_backend_pid() and backend_type = 'client backend' "
            # Not the one that keeps other migrations out.
            "and pid not in (select pid from pg_locks where locktype = 'advisory' and objid = %s and granted) "
            "order by xact_start limit 3",
            (MIGRATION_LOCK,),
        ).all()
    return (
        ", ".join(f"process {pid} ({name}, since {since:%H:%M:%S} UTC)" for pid, name, since in found) or "nobody now"
    )


def _require_version(server_version: str) -> None:
    """Raises: WarehouseError for a server_version_num, such as 160004, of an older PostgreSQL."""
    major = int(server_version) // 10_000
    if major < OLDEST_POSTGRES:
        raise WarehouseError(f"The warehouse runs on PostgreSQL {major}: version {OLDEST_POSTGRES} or newer is needed.")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(home() / "plugins/amazon_support/warehouse/alembic"))
    return config
