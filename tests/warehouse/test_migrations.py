"""One command brings any warehouse to the newest schema, and running it again changes nothing."""

import pytest
from alembic import command
from sqlalchemy import Connection

from amazon_support.warehouse import connect, migrate
from amazon_support.warehouse.embedded import EmbeddedServer
from amazon_support.warehouse.engine import WarehouseError


def test_a_new_database_gets_every_schema(connection: Connection) -> None:
    schemas = connection.exec_driver_sql("select nspname from pg_namespace").scalars().all()
    assert {"raw", "core", "pii", "mart", "ops"} <= set(schemas)


def test_the_library_and_the_warehouse_agree_on_the_revision(connection: Connection) -> None:
    assert migrate.current_revision(connection) == migrate.newest_revision()


def test_migrating_twice_is_migrating_once(postgres: EmbeddedServer) -> None:
    url = postgres.ensure_database("migrated_twice")
    assert migrate.upgrade(url) == migrate.upgrade(url) == migrate.newest_revision()


def test_orders_of_the_first_schema_keep_what_was_known_of_them(postgres: EmbeddedServer) -> None:
    url = postgres.ensure_database("with_old_orders")
    with connect(url) as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.exec_driver_sql(
            "insert into core.amazon_order (account, order_id, region, last_updated_at, is_placeholder, batch_id) "
            "values ('main', 'known', 'eu', '2026-03-10T12:00Z', false, 7), ('main', 'named', 'eu', null, true, null)"
        )
        connection.exec_driver_sql(
            "insert into core.amazon_order_item (account, order_id, order_item_id, position, quantity, "
            "quantity_shipped) values ('main', 'known', 'x', 1, 2, 1)"
        )
    migrate.upgrade(url)
    with connect(url) as connection:
        orders = "select order_id, is_from_api, api_updated_at = last_updated_at, api_batch_id from core.amazon_order"
        assert connection.exec_driver_sql(f"{orders} order by 1").all() == [
            ("known", True, True, 7),
            ("named", True, None, None),
        ]
        items = "select position, quantity from core.amazon_order_item"
        assert connection.exec_driver_sql(items).all() == [(1, 2)]
        progress = "select order_item_id, quantity, quantity_shipped from core.amazon_order_item_progress"
        assert connection.exec_driver_sql(progress).all() == [("x", 2, 1)]


def test_a_server_that_is_too_old_is_named_before_anything_is_changed() -> None:
    with pytest.raises(WarehouseError, match=r"PostgreSQL 16: version 17 or newer"):
        migrate._require_version("160004")
