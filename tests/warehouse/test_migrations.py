"""One command brings any warehouse to the newest schema, and running it again changes nothing."""

import itertools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

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


# ---------- from each schema there ever was, with data in it

ROWS = {
    "text": "'x'", "bigint": "1", "integer": "1", "smallint": "1", "boolean": "true", "jsonb": "'{}'", "text[]": "'{}'",
    "timestamp with time zone": "'2026-03-10T12:00Z'", "date": "'2026-03-10'", "numeric": "1", "real": "1",
    "double precision": "1", "tstzmultirange": "'{}'", "tstzrange": "'[2026-03-10,2026-03-11)'", "interval": "'1 hour'",
    "time without time zone": "'12:00'", "bytea": "''",
}  # fmt: skip
# By a check of the whole row.
NEEDED = {"raw.account_health_received": {"document": "'{}'"}, "pii.mail_rule": {"phrase": "'x'"}}
COLUMNS = """
    select c.oid::regclass::text, a.attname, format_type(a.atttypid, null), (
        select string_agg(pg_get_constraintdef(k.oid), ' ') from pg_constraint k
        where k.conrelid = c.oid and k.contype = 'c' and a.attnum = any(k.conkey)
    )
    from pg_class c
    join pg_namespace n on c.relnamespace = n.oid and n.nspname in ('raw', 'core', 'pii', 'mart', 'ops')
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relkind = 'r' and a.attidentity = '' and a.attgenerated = '' and (a.attnotnull and not a.atthasdef)
    order by 1, a.attnum
"""

REFERENCES = """
    select k.conrelid::regclass::text, a.attname, k.confrelid::regclass::text, p.attname
    from pg_constraint k
    join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
    join pg_attribute p on p.attrelid = k.confrelid and p.attnum = k.confkey[1]
    where k.contype = 'f' and k.conrelid <> k.confrelid
"""


def value_of(kind: str, check: str | None) -> str:
    """What the column's type and check let in."""
    allowed = re.search(r"ARRAY\[('[^']*')::", check or "")
    return allowed[1] if allowed else ROWS[kind]


def fill(connection: Connection) -> dict[str, int]:
    """One row in each table that is empty. Returns the number of rows by table."""
    columns: dict[str, dict[str, str]] = {}
    for table, column, kind, check in connection.exec_driver_sql(COLUMNS):
        columns.setdefault(table, {})[column] = value_of(kind, check)
    for table, values in NEEDED.items():
        columns.get(table, {}).update(values)
    parents: dict[str, set[str]] = {}
    for table, column, parent, key in connection.exec_driver_sql(REFERENCES):
        parents.setdefault(table, set()).add(parent)
        if column in columns[table]:
            columns[table][column] = f"(select min({key}) from {parent})"
    waiting = {table for table in columns if not counted(connection, table)}
    while waiting:
        table = min(each for each in waiting if not parents.get(each, set()) & waiting)
        names, row = ", ".join(columns[table]), ", ".join(columns[table].values())
        connection.exec_driver_sql(f"insert into {table} ({names}) values ({row})")
        waiting.remove(table)
    return {table: counted(connection, table) for table in columns}


def counted(connection: Connection, table: str) -> int:
    return int(connection.exec_driver_sql(f"select count(*) from {table}").scalar_one())


def test_each_migration_keeps_the_facts_that_the_schema_before_it_could_hold(postgres: EmbeddedServer) -> None:
    url = postgres.ensure_database("filled_at_each_revision")
    before: dict[str, int] = {}
    for revision in migrate._revisions():
        migrate._run(url, revision, until=0)
        with connect(url) as connection:
            here = set(connection.exec_driver_sql(COLUMNS).scalars())
            for table, rows in before.items():
                moved = {"ops.outbox": "pii.outbox"}.get(table, table)
                if not table.startswith("mart."):  # answers are folded again
                    assert moved in here or table in here, f"{revision} drops {table}"
                    kept = counted(connection, table if table in here else moved)
                    assert kept >= rows, f"{revision} loses rows of {table}"
            before = fill(connection)
    assert len(before) > 50
    assert min(before.values()) == 1


# ---------- beside a running pipeline


numbers = itertools.count(1)


@pytest.fixture(scope="module")
def template_one_behind(postgres: EmbeddedServer) -> str:
    """Name of a warehouse before the outbox became private: that migration needs the outbox for itself."""
    url = postgres.ensure_database("one_behind")
    known = migrate._revisions()
    for revision in known[: known.index("0024")]:
        migrate._run(url, revision, until=0)
    return "one_behind"


@pytest.fixture
def one_behind(postgres: EmbeddedServer, template_one_behind: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", timedelta(milliseconds=50))
    monkeypatch.setattr(migrate, "PAUSE", timedelta(milliseconds=10))
    return postgres.ensure_database(f"one_behind_{next(numbers)}", template=template_one_behind)


@contextmanager
def writing(url: str) -> Iterator[Connection]:
    """A run in the midst of a transaction: it has queued a message."""
    with connect(url) as connection:
        connection.exec_driver_sql(
            "insert into ops.outbox (message_key, kind, recipient, subject, html, plain, message_id) "
            "values ('k', 'alert', 'r', 's', 'h', 'p', 'i')"
        )
        yield connection


def test_a_run_in_the_midst_of_writing_goes_on_and_the_migration_follows_it(
    one_behind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "amazon_support.warehouse.migrate")
    migration = threading.Thread(target=migrate.upgrade, args=[one_behind])
    with writing(one_behind) as run:
        migration.start()
        while "gives way" not in caplog.text:
            migration.join(0.01)
            assert migration.is_alive()
        with connect(one_behind) as reader:
            assert counted(reader, "ops.outbox") == 0, "who reads does not wait behind the migration"
        run.exec_driver_sql("update ops.outbox set subject = 'still mine'")
    migration.join()
    with connect(one_behind) as connection:
        assert connection.exec_driver_sql("select subject from pii.outbox").scalars().all() == ["still mine"]
        assert migrate.schema_problem(connection) == ""


def test_a_migration_that_gets_no_lock_names_who_has_it_and_changes_nothing(one_behind: str) -> None:
    with writing(one_behind) as run:
        pid = run.exec_driver_sql("select pg_backend_pid()").scalar_one()
        with pytest.raises(WarehouseError, match=rf"Migration 0024 needs .* process {pid} \(amazon_support, since"):
            migrate.upgrade(one_behind, patience=timedelta())
        assert migrate.current_revision(run) == "0020"


def test_a_schema_of_a_newer_version_is_refused_in_one_sentence(warehouse_url: str) -> None:
    with connect(warehouse_url) as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    with pytest.raises(WarehouseError, match=r"revision 9999, which this version does not know .*never go back\.$"):
        migrate.upgrade(warehouse_url)


def test_one_that_is_behind_is_told_what_to_do(one_behind: str) -> None:
    with connect(one_behind) as connection:
        assert migrate.schema_problem(connection).endswith("run `python -m amazon_support db upgrade`")
