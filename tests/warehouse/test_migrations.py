"""One command brings any warehouse to the newest schema, and running it again changes nothing."""

from sqlalchemy import Connection

from amazon_support.warehouse import migrate
from amazon_support.warehouse.embedded import EmbeddedServer


def test_a_new_database_gets_every_schema(connection: Connection) -> None:
    schemas = connection.exec_driver_sql("select nspname from pg_namespace").scalars().all()
    assert {"raw", "core", "pii", "mart", "ops"} <= set(schemas)


def test_the_library_and_the_warehouse_agree_on_the_revision(connection: Connection) -> None:
    assert migrate.current_revision(connection) == migrate.newest_revision()


def test_migrating_twice_is_migrating_once(postgres: EmbeddedServer) -> None:
    url = postgres.ensure_database("migrated_twice")
    assert migrate.upgrade(url) == migrate.upgrade(url) == migrate.newest_revision()
