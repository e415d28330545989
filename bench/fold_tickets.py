"""How fast events become tickets, status periods and clocks: all of them, and those that an hour touches."""

import subprocess
import sys

from result import Result, peak_memory, seconds
from sqlalchemy import Engine

from amazon_support import settings, tickets
from amazon_support.settings import ServiceLevels
from amazon_support.tickets import Promises
from amazon_support.tickets.fold import ANSWERS
from amazon_support.warehouse.bulk_write import without_indexes

TICKETS, FEW_TICKETS, TOUCHED, EVENTS_EACH = 1_000_000, 100_000, 1_000, 5
OF_THE_CHEAPEST_PASS, OF_WRITING, OF_FEW_IN_STORE, OF_24X7 = 3, 4, 1.2, 2
MEMORY_LIMIT = 4_000  # MB
LONG_TICKETS, LONG_EVENTS = 10_000, 21
DBT_SECONDS = 87  # dbt_zendesk at best, measured once on such a machine: 10,000 tickets in 207,000 rows, business hours
OFFICE = {
    "calendars": [
        {
            "name": "office",
            "timezone": "Europe/Berlin",
            "hours": {"mon-fri": ["09:00-12:30", "13:30-18:00"]},
            "holidays": {"country": "DE"},
        }
    ],
}


def folding(url: str, bound: Engine) -> list[Result]:
    """Measures on invented events; what is in the store stays there."""
    _record_events(bound, range(1, FEW_TICKETS + 1), EVENTS_EACH)
    rebuild(bound)
    with_few = seconds(lambda: _fold_touched(bound))
    business_hours = Result(
        f"fold {FEW_TICKETS:,} tickets from nothing, every metric but Amazon's in business hours",
        seconds(lambda: rebuild(bound, in_the_office())),
        OF_24X7,
        seconds(lambda: rebuild(bound)),
        "the same at all hours",
    )
    _record_events(bound, range(FEW_TICKETS + 1, TICKETS + 1), EVENTS_EACH)
    took, memory = _rebuild_in_a_process_of_its_own(url)
    many = Result(
        f"fold {TICKETS:,} tickets of {TICKETS * EVENTS_EACH:,} events from nothing",
        took,
        OF_THE_CHEAPEST_PASS,
        seconds(lambda: _pass_over(bound)),
        "the cheapest possible pass over the events: count(*), max(lag(…) over (partition by ticket order by at))",
    )
    writing = Result(
        many.what, took, OF_WRITING, _writing_the_same(bound),
        "only writing the same rows from copies, then their indexes",
    )  # fmt: skip
    of_memory = Result(
        f"memory to fold {TICKETS:,} tickets from nothing", memory, 1, MEMORY_LIMIT,
        "the limit; peak resident memory of the server process and ours", "MB",
    )  # fmt: skip
    hourly = Result(
        f"fold {TOUCHED:,} touched tickets with {TICKETS:,} in store",
        seconds(lambda: _fold_touched(bound)),
        OF_FEW_IN_STORE,
        with_few,
        f"the same with {FEW_TICKETS:,} in store",
    )
    with bound.begin() as connection:
        connection.exec_driver_sql("truncate core.ticket_event, ops.ticket_touched")
    _record_events(bound, range(1, LONG_TICKETS + 1), LONG_EVENTS)
    long_tickets = Result(
        f"fold {LONG_TICKETS:,} tickets of {LONG_TICKETS * LONG_EVENTS:,} events from nothing, in business hours",
        seconds(lambda: rebuild(bound, in_the_office())),
        0.01,
        DBT_SECONDS,
        "dbt_zendesk for 10,000 tickets in 207,000 rows, not measured in this run",
    )
    return [many, writing, of_memory, business_hours, hourly, long_tickets]


def in_the_office() -> ServiceLevels:
    """The policies as shipped, with a calendar of business hours."""
    shipped = settings.load().service_levels
    policies = [policy.model_dump(exclude_none=True) | {"calendar": "office"} for policy in shipped.policies]
    return ServiceLevels.model_validate(OFFICE | {"policies": policies})


def rebuild(bound: Engine, levels: ServiceLevels | None = None) -> None:
    current = settings.load()
    with bound.begin() as connection:
        tickets.fold_all(connection, current.policy, Promises.of(current, levels))


def _fold_touched(bound: Engine) -> None:
    current = settings.load()
    with bound.begin() as connection:
        connection.exec_driver_sql(TOUCH, {"touched": TOUCHED})
        tickets.fold(connection, current.policy, Promises.of(current))


def _pass_over(bound: Engine) -> None:
    with bound.connect() as connection:
        connection.exec_driver_sql(CHEAPEST)


def _writing_the_same(bound: Engine) -> float:
    """Seconds for what no way of folding into these tables can do without."""
    with bound.begin() as connection:
        copies = {table: table.replace("mart.", "copy_of_") for table in ANSWERS}
        for table, copy in copies.items():
            connection.exec_driver_sql(f"create temporary table {copy} as select * from {table}")
        connection.exec_driver_sql(f"truncate {', '.join(ANSWERS)}")

        def write() -> None:
            with without_indexes(connection, ANSWERS):
                for table, copy in copies.items():
                    connection.exec_driver_sql(f"insert into {table} select * from {copy}")

        return seconds(write, times=1)


def _record_events(bound: Engine, numbers: range, each: int) -> None:
    with bound.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(EVENTS, {"first": numbers[0], "last": numbers[-1], "each": each})
        connection.exec_driver_sql("vacuum analyze")


def _rebuild_in_a_process_of_its_own(url: str) -> tuple[float, float]:
    """(seconds, MB)"""
    command = [sys.executable, __file__, url]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(answer[-2]), float(answer[-1])


def _print_seconds_and_memory(url: str) -> None:
    from amazon_support.warehouse import engine

    bound = engine(url)
    took = seconds(lambda: rebuild(bound), times=1)
    with bound.connect() as connection:  # the pool's only one
        server = connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
        print(took, peak_memory(server) + peak_memory())


CHEAPEST = """
select count(*), max(before_at)
from (
    select lag(occurred_at) over (partition by account, ticket_key order by occurred_at) as before_at
    from core.ticket_event
) as events
"""
EVENTS = """
insert into core.ticket_event (account, source, source_id, ticket_key, marketplace, kind, occurred_at, actor)
select 'bench', 'bench', t || '-' || e, 'DE:order:' || t, 'DE',
    (array['buyer_message', 'reply', 'buyer_message', 'solve', 'assign'])[1 + (t + e) %% 5],
    timestamptz '2026-01-01' + make_interval(mins => t %% 1440, hours => 7 * e * (1 + t %% 40)), 'bench'
from generate_series(%(first)s::int, %(last)s::int) as t, generate_series(1, %(each)s::int) as e
"""
TOUCH = """
insert into ops.ticket_touched (account, ticket_key)
select 'bench', 'DE:order:' || t from generate_series(1, %(touched)s::int) as t
"""

if __name__ == "__main__":
    _print_seconds_and_memory(sys.argv[1])
