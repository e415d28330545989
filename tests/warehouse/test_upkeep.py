"""Tables that only grow are kept within bounds, and the right rows go."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from landing import rows
from sqlalchemy import Engine, text

from amazon_support import settings
from amazon_support.orchestration.windows import window_of
from amazon_support.outputs import alerts
from amazon_support.outputs.messages import Rendered
from amazon_support.outputs.outbox import Message, enqueue
from amazon_support.outputs.vitals import vitals
from amazon_support.settings.retention import Retention
from amazon_support.warehouse.upkeep import Upkeep, keep_up

NIGHT = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SETTINGS = settings.load()
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
    assert keep_up(warehouse, RETENTION, as_of=NIGHT) == Upkeep(months_made=3)
    midnight = datetime(2026, 4, 1, tzinfo=UTC)
    write_lists(warehouse, [midnight - timedelta(hours=1), midnight, midnight + 30 * DAY])
    assert parts(warehouse) == {"2026_03": 3, "2026_04": 3, "2026_05": 3}
    assert keep_up(warehouse, RETENTION, as_of=midnight + 60 * DAY - DAY).months_dropped == 0
    assert keep_up(warehouse, RETENTION, as_of=midnight + 60 * DAY) == Upkeep(months_dropped=1)
    assert parts(warehouse) == {"2026_04": 3, "2026_05": 3}


def test_what_was_there_before_stays_where_it_is_and_goes_hour_by_hour(warehouse: Engine) -> None:
    old = [NIGHT - 60 * DAY - timedelta(hours=hours) for hours in (0, 1, 2)]
    write_lists(warehouse, [*old, NIGHT])
    assert keep_up(warehouse, RETENTION, as_of=NIGHT) == Upkeep(months_made=2, items=6)
    assert parts(warehouse) == {"rest": 6}
    assert keep_up(warehouse, RETENTION, as_of=NIGHT) == Upkeep()


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


# ---------- that lists were made and sent


def done(warehouse: Engine, *hours: datetime) -> None:
    """Live runs wrote the worklists of these hours."""
    with warehouse.begin() as connection:
        for hour in hours:
            alerts.note_hour(connection, as_of=hour, now=hour)


def hours_done(warehouse: Engine) -> list[datetime]:
    with warehouse.connect() as connection:
        return [hour for (hour,) in rows(connection, "select as_of from ops.hour_done order by 1")]


def test_that_lists_were_made_is_forgotten_with_them(warehouse: Engine) -> None:
    kept_from = NIGHT - RETENTION.worklists_kept
    hours = [kept_from + n * HOUR for n in range(-5, 2)]
    done(warehouse, *hours, NIGHT)
    assert keep_up(warehouse, RETENTION, as_of=NIGHT).hours == 5
    assert hours_done(warehouse) == [kept_from, kept_from + HOUR, NIGHT]


def test_the_newest_list_is_known_however_long_ago_it_was(warehouse: Engine) -> None:
    done(warehouse, NIGHT - HOUR, NIGHT)
    assert keep_up(warehouse, RETENTION, as_of=NIGHT + 400 * DAY).hours == 1
    assert hours_done(warehouse) == [NIGHT]
    with warehouse.connect() as connection:
        assert vitals(connection, SETTINGS, as_of=NIGHT + 400 * DAY).list_age == 400 * DAY


def queue(warehouse: Engine, hour: datetime, about: str = "list", **changes: Any) -> bool:
    """A live run of that hour queues a message, which is `sent_at` at once; returns whether it is new."""
    message = Message("worklist", "ana@shop.example", hour, Rendered(about, "<p>words</p>", "words"), about)
    settled = {"sent_at": hour, "emptied_at": hour + 7 * DAY, "written_at": hour, **changes}
    with warehouse.begin() as connection:
        is_new = enqueue(connection, message)
        values = ", ".join(f"{name} = :{name}" for name in settled)
        update = f"update pii.outbox set {values} where message_key = :key"
        connection.execute(text(update), {**settled, "key": message.key})
    return is_new


def known(warehouse: Engine) -> list[str]:
    with warehouse.connect() as connection:
        return [subject for (subject,) in rows(connection, "select subject from pii.outbox order by 1")]


def test_that_a_message_was_sent_is_forgotten_with_the_lists_once_it_is_empty(warehouse: Engine) -> None:
    old, young = NIGHT - 60 * DAY - HOUR, NIGHT - 60 * DAY
    for n in range(5):
        queue(warehouse, old - n * HOUR)
    queue(warehouse, old, "given up", sent_at=None, dead_at=old)
    queue(warehouse, old, "full", emptied_at=None)
    queue(warehouse, old, "waiting", sent_at=None)
    queue(warehouse, young, "young")
    assert keep_up(warehouse, RETENTION, as_of=NIGHT).messages == 6
    assert known(warehouse) == ["full", "waiting", "young"]


def test_no_run_can_send_again_what_is_forgotten(warehouse: Engine) -> None:
    soonest = Retention(worklists_kept=DAY)
    queue(warehouse, NIGHT, emptied_at=NIGHT)  # at once: its buyer was erased
    for hours in range(48):
        now = NIGHT + hours * HOUR
        keep_up(warehouse, soonest, as_of=now)
        run = SimpleNamespace(run_type="scheduled", data_interval_start=NIGHT - HOUR, data_interval_end=NIGHT)
        assert known(warehouse) == ["list"] or not window_of({"dag_run": run}, now=now).live
        if hours == 23:
            assert not queue(warehouse, NIGHT, emptied_at=NIGHT), "known for a day, though the run is not live any more"
    assert known(warehouse) == []
