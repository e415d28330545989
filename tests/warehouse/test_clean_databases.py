"""The tests' own databases: whatever a test did to one, the next test finds it as new."""

import psycopg
import pytest
from clean_databases import TABLES, CleanDatabases

from amazon_support.warehouse.embedded import EmbeddedServer


@pytest.fixture
def lending(postgres: EmbeddedServer) -> CleanDatabases:
    return CleanDatabases(postgres)


@pytest.mark.parametrize(
    ("deed", "is_used_again"),
    [
        ("select 1", True),
        ("insert into ops.batch (account, dataset, scope, row_count) values ('main', 'orders', 'eu', 1)", True),
        ("update core.ticket_type set ticket_type = 'other' where ticket_type = 'order_message'", True),
        ("delete from mart.calendar", True),
        ("update alembic_version set version_num = '9999'", True),
        ("alter table mart.ticket add column mine int", False),
        ("create table ops.mine (id int)", False),
        ("create or replace view mart.period_not_done as select * from mart.period_not_done", False),
        ("grant select on mart.ticket to public", False),
        ("drop schema raw cascade", False),
    ],
)
def test_the_next_finds_nothing_of_it(lending: CleanDatabases, deed: str, is_used_again: bool) -> None:
    first = lending.take()
    with psycopg.connect(first, autocommit=True) as connection:
        before = _all_rows(connection)
        connection.execute(deed)
    lending.give_back(first)
    second = lending.take()
    assert (second == first) is is_used_again
    with psycopg.connect(second) as connection:
        assert _all_rows(connection) == before
        assert connection.execute("select nextval('ops.batch_batch_id_seq')").fetchone() == (1,)
    lending.give_back(second)


def test_whoever_is_still_connected_is_shown_out(lending: CleanDatabases) -> None:
    url = lending.take()
    with psycopg.connect(url) as connection:
        connection.execute("lock table ops.batch in access exclusive mode")
        lending.give_back(url)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")


def _all_rows(connection: psycopg.Connection) -> dict[str, object]:
    tables = connection.execute(TABLES).fetchall()
    rows = {
        name: connection.execute(f"select jsonb_agg(t order by t) from {name} as t").fetchone() for (name,) in tables
    }
    return {name: found for name, found in rows.items() if found != (None,)}
