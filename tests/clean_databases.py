"""Empty migrated databases that are used again: to make one takes longer than most tests."""

import itertools

import psycopg

from amazon_support.warehouse.embedded import EmbeddedServer

TEMPLATE = "migrated"
LARGEST = 40_000_000  # bytes; what has grown beyond is not worth cleaning
SCHEMAS = "('raw', 'core', 'pii', 'mart', 'ops')"

_numbers = itertools.count(1)  # whoever lends, no two have one name


class CleanDatabases:
    """Lends databases that are as the template is, in rows, sequences, structure and rights.

    What a test wrote is deleted when it gives its database back. A database whose structure or rights it changed is
    dropped, as is a large one.
    """

    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server
        self._free: list[str] = []
        with psycopg.connect(server.url(TEMPLATE)) as connection:
            self._structure = connection.execute(STRUCTURE).fetchall()
            tables = [name for (name,) in connection.execute(TABLES)]
            self._has_rows = " union all ".join(f"(select '{name}' from {name} limit 1)" for name in tables)
            self._kept = {name: _rows(connection, name) for (name,) in connection.execute(self._has_rows).fetchall()}

    def take(self) -> str:
        """URL of one that nobody uses."""
        if self._free:
            return self._free.pop()
        return self._server.ensure_database(f"test_{next(_numbers)}", template=TEMPLATE)

    def give_back(self, url: str) -> None:
        """Makes it as it was; ends the connections that are still there."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(ALONE)
            ((name, is_worth_it),) = connection.execute(WORTH, [LARGEST]).fetchall()
            if is_worth_it and connection.execute(STRUCTURE).fetchall() == self._structure:
                self._empty(connection)
                self._free.append(url)
                return
        with psycopg.connect(self._server.url(), autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")

    def _empty(self, connection: psycopg.Connection) -> None:
        with connection.transaction():
            connection.execute("set local session_replication_role = replica")  # in any order, without triggers
            for (name,) in connection.execute(self._has_rows).fetchall():
                if name not in self._kept or _rows(connection, name) != self._kept[name]:
                    connection.execute(f"delete from {name}")
            for name, kept in self._kept.items():
                connection.execute(RESTORE.format(name=name), {"rows": kept})
            connection.execute(RESTART)


def _rows(connection: psycopg.Connection, table: str) -> str:
    """All rows as JSON."""
    return connection.execute(f"select jsonb_agg(t order by t)::text from {table} as t").fetchone()[0]  # type: ignore[index]


ALONE = """
select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
"""
WORTH = "select current_database(), pg_database_size(current_database()) < %s"
TABLES = f"""
select oid::regclass::text from pg_class
where relkind = 'r' and (relnamespace::regnamespace::text in {SCHEMAS} or relname = 'alembic_version')
order by 1
"""
RESTORE = """
insert into {name} overriding system value
select * from jsonb_populate_recordset(null::{name}, %(rows)s::jsonb)
on conflict do nothing
"""
RESTART = """
select setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
from pg_sequences where last_value is not null
"""
STRUCTURE = f"""
with relations as (
    select * from pg_class where relnamespace::regnamespace::text in {SCHEMAS}
)
select 'relation', oid, relkind::text, concat_ws(' ', relname, relacl, reloptions) from relations
union all
select 'column', attrelid, attname, concat_ws(' ', attnum, atttypid, attnotnull, attisdropped)
from pg_attribute inner join relations on relations.oid = attrelid and relkind = 'r' and attnum > 0
union all
select 'constraint', oid, conname, convalidated::text from pg_constraint
where connamespace::regnamespace::text in {SCHEMAS}
union all
select 'trigger', pg_trigger.oid, tgname, tgenabled::text
from pg_trigger inner join relations on relations.oid = tgrelid
union all
select 'view', relations.oid, relname, pg_rewrite.xmin::text
from pg_rewrite inner join relations on relations.oid = ev_class
union all
select 'function', oid, proname, xmin::text from pg_proc where pronamespace::regnamespace::text in {SCHEMAS}
union all
select 'schema', oid, nspname, nspacl::text from pg_namespace where nspname !~ '^pg_(toast_)?temp'
order by 1, 2, 3, 4
"""
