"""Brings a warehouse to the newest schema: Alembic, forward only, each revision one SQL file."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from amazon_support.settings import home
from amazon_support.warehouse.engine import WarehouseError, connect

# Two processes that migrate at once: the second waits, then finds nothing to do.
MIGRATION_LOCK = 4_711_001
OLDEST_POSTGRES = 17  # COPY knows on_error


def upgrade(url: str | None = None) -> str:
    """Runs every migration that the warehouse has not seen. Returns the revision it is at now.

    Raises: WarehouseError if the server cannot be reached, or is too old.
    """
    with connect(url) as connection:
        _require_version(connection.exec_driver_sql("show server_version_num").scalar_one())
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({MIGRATION_LOCK})")
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        current = current_revision(connection)
    return current or ""


def current_revision(connection: Connection) -> str | None:
    """Revision the warehouse is at; None if it was never migrated."""
    migrations = MigrationContext.configure(connection, opts={"version_table_schema": "public"})
    revision: str | None = migrations.get_current_revision()
    return revision


def newest_revision() -> str:
    """Revision this version of the library needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _require_version(server_version: str) -> None:
    """Raises: WarehouseError for a server_version_num, such as 160004, of an older PostgreSQL."""
    major = int(server_version) // 10_000
    if major < OLDEST_POSTGRES:
        raise WarehouseError(f"The warehouse runs on PostgreSQL {major}: version {OLDEST_POSTGRES} or newer is needed.")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(home() / "plugins/amazon_support/warehouse/alembic"))
    return config
