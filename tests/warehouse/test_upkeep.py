"""Tables that only grow are kept within bounds, and the right rows go."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from landing import rows
from sqlalchemy import Engine, text

from amazon_support.settings.retention import Retention
from amazon_support.warehouse.upkeep import Upkeep, keep_up

NIGHT = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
DAY = timedelta(days=1)
RETENTION = Retention(worklists_kept=60 * DAY, calls_kept=90 * DAY, removed_together=2)


def write_lists(warehouse: Engine, hours: Sequence[datetime]) -> None:
    insert = (
        "insert into mart.worklist_item (as_of, agent, position, section, account, ticket_id, reason) "
        "select :as_of, 'Ana', n, 'reply_now', 'main', n, 'late' from generate_series(1, 3) as n"
    )
    with warehouse.begin() as connection:
        connection.execute(text(insert), [{"as_of": hour} for hour in hours])


def parts(warehouse: Engine) -> dict[str, int]:
    """Items in each part of the worklists."""
    query = "select tableoid::regclass::text, count(*) from mart.worklist_item group by 1"
    with warehouse.connect() as connection:
        return {name.removeprefix("mart.worklist_item_"): count for name, count in rows(connection, query)}


def test_worklists_of_the_months_to_come_have_a_part_each_and_go_with_it(warehouse: Engine) -> None:
    assert keep_up(warehouse, RETENTION, as_of=NIGHT) == Upkeep(3, 0, 0, 0)
    midnight = datetime(2026, 4, 1, tzinfo=UTC)
    write_lists(warehouse, [midnight - timedelta(hours=1), midnight, midnight + 30 * DAY])
    assert parts(warehouse) == {"2026_03": 3, "2026_04": 3, "2026_05": 3}
    assert keep_up(warehouse, RETENTION, as_of=midnight + 60 * DAY - DAY).months_dropped == 0
    assert keep_up(warehouse, RETENTION, as_of=midnight + 60 * DAY) == Upkeep(0, 1, 0, 0)
    assert parts(warehouse) == {"2026_04": 3, "2026_05": 3}


def test_what_was_there_before_stays_where_it_is_and_goes_hour_by_hour(warehouse: Engine) -> None:
    old = [NIGHT - 60 * DAY - timedelta(hours=hours) for hours in (0, 1, 2)]
    write_lists(warehouse, [*old, NIGHT])
    assert keep_up(warehouse, RETENTION, as_of=NIGHT) == Upkeep(2, 0, items=6, calls=0)
    assert parts(warehouse) == {"rest": 6}
    assert keep_up(warehouse, RETENTION, as_of=NIGHT) == Upkeep(0, 0, 0, 0)


def test_lists_are_the_same_in_parts(warehouse: Engine) -> None:
    write_lists(warehouse, [NIGHT])
    keep_up(warehouse, RETENTION, as_of=NIGHT + DAY)
    write_lists(warehouse, [NIGHT + DAY])
    query = "select as_of, list, name, count(*) from mart.worklist group by 1, 2, 3 order by 1"
    with warehouse.connect() as connection:
        assert rows(connection, query) == [(NIGHT, "agent", "Ana", 3), (NIGHT + DAY, "agent", "Ana", 3)]


def test_old_counts_of_calls_go_in_batches(warehouse: Engine) -> None:
    insert = (
        "insert into ops.api_call (run, account, region, operation, first_at) "
        "select 'run ' || n, 'main', 'eu', 'searchOrders', :night - interval '88 days' - n * interval '1 day' "
        "from generate_series(1, 7) as n"
    )
    with warehouse.begin() as connection:
        connection.execute(text(insert), {"night": NIGHT})
    assert keep_up(warehouse, RETENTION, as_of=NIGHT).calls == 5
    with warehouse.connect() as connection:
        assert rows(connection, "select run from ops.api_call order by 1") == [("run 1",), ("run 2",)]
