"""How fast worklists are made of a million tickets, and how fast they are rendered and delivered to many agents."""

import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage

from result import Result, peak_memory, seconds
from sqlalchemy import Connection, Engine

from amazon_support import settings
from amazon_support.outputs import outbox
from amazon_support.outputs.channels import Outgoing, SmtpTransport, as_mail
from amazon_support.outputs.worklist import write_worklists
from amazon_support.settings import Agent, Settings
from amazon_support.warehouse import engine
from amazon_support.warehouse.bulk_write import without_indexes

AS_OF = datetime(2026, 3, 10, 12, tzinfo=UTC)
TICKETS, ONE_OPEN_IN, AGENTS, ITEMS_EACH = 1_000_000, 50, 200, 50
OF_A_PLAIN_READ, OF_A_PLAIN_LOOP, MEMORY_LIMIT = 2, 8, 300  # MB


def listing(url: str, bound: Engine) -> list[Result]:
    """The worklist step over a million tickets with 20,000 open ones, each of one of 200 agents."""
    current = with_agents(AGENTS)
    fill(bound, TICKETS, one_open_in=ONE_OPEN_IN)
    with bound.begin() as connection:
        connection.exec_driver_sql("create table worklist_like (like mart.worklist_item including all)")
    items = _count(bound, lambda connection: write_worklists(connection, current, as_of=AS_OF).items)
    return [
        Result(
            f"write worklists of {items:,} items, with {TICKETS:,} tickets in store",
            seconds(lambda: _count(bound, lambda connection: write_worklists(connection, current, as_of=AS_OF).items)),
            OF_A_PLAIN_READ,
            seconds(lambda: _count(bound, _read_plainly)),
            "reading these tickets with period, clock, agent, order and goods by index, into a table like it",
        ),
    ]


def mailing(url: str, bound: Engine) -> list[Result]:
    """200 agents' worklists of 50 items each: rendered, queued, and delivered to a real SMTP server that keeps none."""
    items = AGENTS * ITEMS_EACH
    fill(bound, items, one_open_in=1)
    with bound.begin() as connection:
        write_worklists(connection, with_agents(AGENTS), as_of=AS_OF)
    with _sink() as port:
        took, memory, plain = _in_a_process_of_its_own(url, port)
    what = f"{AGENTS} agents' worklists of {ITEMS_EACH} items: read, rendered, queued, delivered"
    return [
        Result(
            f"{what} ({items / took:,.0f} items/s)", took, OF_A_PLAIN_LOOP, plain,
            "the same mails, ready-made, sent by a loop of smtplib.SMTP.send_message",
        ),
        Result("memory for that", memory, 1, MEMORY_LIMIT, "the limit; peak resident memory of our process", "MB"),
    ]  # fmt: skip


@contextmanager
def _sink() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-c", "aiosmtpd.handlers.Sink", "-l", f"127.0.0.1:{port}"]
    with subprocess.Popen(command) as server:
        try:
            _wait_for(port)
            yield port
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            with smtplib.SMTP("127.0.0.1", port):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("The SMTP server of the benchmark does not start.")


def _in_a_process_of_its_own(url: str, port: int) -> tuple[float, float, float]:
    """(seconds, MB, seconds of the plain loop)"""
    command = [sys.executable, __file__, url, str(port)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(answer[-3]), float(answer[-2]), float(answer[-1])


def _print_seconds_and_memory(url: str, port: int) -> None:
    bound, current = engine(url), with_agents(AGENTS)

    def ours() -> None:
        with bound.begin() as connection:
            connection.exec_driver_sql("truncate pii.outbox")
        with bound.begin() as connection:
            assert outbox.queue_worklists(connection, current, as_of=AS_OF) == AGENTS
        with SmtpTransport("127.0.0.1", port, sender="desk@shop.example") as transport:
            assert outbox.deliver(bound, transport, at=AS_OF).sent == AGENTS

    took, memory = seconds(ours), peak_memory()
    kept = Kept()
    with bound.begin() as connection:
        connection.exec_driver_sql("update pii.outbox set sent_at = null")
    outbox.deliver(bound, kept, at=AS_OF)
    print(took, memory, seconds(lambda: _send_plainly(kept.mails, port)))


class Kept:
    """A transport that keeps the mails."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    def send(self, message: Outgoing) -> None:
        self.mails.append(as_mail(message, "desk@shop.example"))


def _send_plainly(mails: Sequence[EmailMessage], port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as session:
        for mail in mails:
            session.send_message(mail)


def with_agents(count: int) -> Settings:
    names = [f"Agent {number:03}" for number in range(count)]
    agents = tuple(Agent(name=name, email=f"agent{n}@shop.example") for n, name in enumerate(names))
    return settings.load().model_copy(update={"agents": agents})


def fill(bound: Engine, tickets: int, *, one_open_in: int) -> None:
    """So many tickets with their periods, clocks, events, mails, orders and goods, as if they had been folded."""
    with bound.begin() as connection, without_indexes(connection, list(ROWS)):
        for rows in ROWS.values():
            connection.exec_driver_sql(
                rows, {"tickets": tickets, "as_of": AS_OF, "every": one_open_in, "agents": AGENTS}
            )
    with bound.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze")


def _count(bound: Engine, work: Callable[[Connection], int]) -> int:
    with bound.connect() as connection:  # what it wrote is taken back
        return work(connection)


def _read_plainly(connection: Connection) -> int:
    connection.exec_driver_sql(BY_INDEX)
    return connection.exec_driver_sql(PLAIN_READ).rowcount


# A ticket in 50 is open, one pending, one solved, the rest closed. `k` numbers the open ones, `what` tells their kind.
TICKET = """
with invented as (
    select
        t,
        t %% %(every)s as rest,
        t / %(every)s as k,
        'DE:order:302-' || lpad((t / 10)::text, 7, '0') || '-' || lpad(t::text, 7, '0') as ticket_key,
        '302-' || lpad((t / 10)::text, 7, '0') || '-' || lpad(t::text, 7, '0') as order_id,
        (t / %(every)s / %(agents)s) %% 20 as what,
        case
            when t %% %(every)s = 0 then %(as_of)s::timestamptz - make_interval(mins => 7 * (t / %(every)s) %% 1800)
            when t %% %(every)s = 1 then %(as_of)s::timestamptz - make_interval(mins => t %% 8000)
            when t %% %(every)s = 2 then %(as_of)s::timestamptz - make_interval(mins => 11000 + t %% 20000)
            else %(as_of)s::timestamptz - make_interval(mins => 60000 + t %% 900000)
        end as asked_at
    from generate_series(1, %(tickets)s::int) as t
)
"""
ROWS = {
    "mart.ticket": TICKET + """
        insert into mart.ticket (account, ticket_id, ticket_key, generation, marketplace, ticket_type, order_id,
            created_at, last_event_at, event_count)
        select 'bench', ticket_key, ticket_key, 1, 'DE',
            case when rest > 0 or what < 13 or what = 18 then 'contact_buyer' else (array['negative_feedback',
                'neutral_feedback', 'a_to_z_claim', 'performance_notification', 'case_update', '', 'unknown_mail'])
                [what - 12] end,
            order_id, asked_at, asked_at, 2
        from invented""",
    "mart.ticket_status": TICKET + """
        insert into mart.ticket_status (account, ticket_id, ticket_key, status, from_at, until_at, cause)
        select 'bench', ticket_key, ticket_key, status, asked_at + from_at, least(asked_at + until_at, 'infinity'),
            'buyer_message'
        from invented
        cross join lateral (values
            (rest = 0, case when what = 18 then 'on_hold' when what < 6 then 'new' else 'open' end,
                case when what = 18 then interval '-3 days' else interval '0' end, interval 'infinity'),
            (rest > 0, 'new', interval '0', interval '5 h'),
            (rest > 0, 'pending', interval '5 h', interval '173 h'),
            (rest > 0, 'solved', interval '173 h', interval '845 h'),
            (rest > 0, 'closed', interval '845 h', interval 'infinity')
        ) as period (is_there, status, from_at, until_at)
        where is_there""",
    "mart.sla_clock": TICKET + """
        insert into mart.sla_clock (account, ticket_id, ticket_key, metric, cycle, started_at, warn_at, due_at,
            stopped_at, stopped_by)
        select 'bench', ticket_key, ticket_key, metric, 1, started_at, started_at + takes - interval '4 h',
            started_at + takes, stopped_at, case when stopped_at is not null then 'reply' end
        from invented
        cross join lateral (values
            (rest > 0 or what < 13, 'amazon_reply', asked_at, interval '24 h'),
            (rest > 0 or what < 13, 'team', asked_at, interval '24 h'),
            (rest = 0 and what = 15, 'a_to_z_deadline', asked_at, interval '72 h'),
            (rest = 0 and what = 16, 'notification_deadline', asked_at, interval '72 h'),
            (rest = 0 and what = 17, 'case_follow_up', asked_at, interval '48 h'),
            (rest = 0 and what = 18, 'stakeholder_follow_up', asked_at - interval '3 days', interval '48 h'),
            (rest = 0 and what = 19, 'mail_decision', asked_at, interval '48 h')
        ) as clock (is_there, metric, started_at, takes)
        cross join lateral (select case when rest > 0 then asked_at + interval '5 h' end as stopped_at) as answer
        where is_there""",
    "core.ticket_event": TICKET + """
        insert into core.ticket_event (account, source, source_id, ticket_key, marketplace, kind, occurred_at, actor,
            order_id, detail)
        select 'bench', 'mail', kind || t, ticket_key, 'DE', kind, at, actor, order_id, detail::jsonb
        from invented
        cross join lateral (values
            (true, 'buyer_message', asked_at, 'buyer', '{}'),
            (true, 'assign', asked_at, 'rules',
                '{"agent": "Agent ' || lpad((k %% %(agents)s)::text, 3, '0') || '"}'),
            (rest > 0, 'reply', asked_at + interval '5 h', 'desk', '{}')
        ) as event (is_there, kind, at, actor, detail)
        where is_there""",
    "core.mail": TICKET + """
        insert into core.mail (account, mail_id, mailbox, folder, kind, confidence, signals, direction, order_ids,
            sent_at, received_at, attachment_count, ticket_key, archived_as)
        select 'bench', 'buyer_message' || t, 'imap', 'INBOX', 'unknown', 1, '{}', 'in', array[order_id], asked_at,
            asked_at, 0, ticket_key, 'x'
        from invented""",
    "core.amazon_order": TICKET + """
        insert into core.amazon_order (account, order_id, region, marketplace, status, fulfilled_by, ordered_at,
            last_updated_at, ship_by_at, shipped_at, total_amount, currency)
        select 'bench', order_id, 'eu', 'DE', 'SHIPPED', 'MERCHANT', asked_at - interval '5 d',
            asked_at - interval '3 d', asked_at - interval '3 d', asked_at - interval '3 d', 24.9, 'EUR'
        from invented""",
    "core.amazon_order_item": TICKET + """
        insert into core.amazon_order_item (account, order_id, position, asin, sku, title, quantity, amount, currency)
        select 'bench', order_id, 1, 'B000000001', 'TEAPOT-' || t %% 500, 'Teapot, 1.2 l, cast iron', 1, 24.9, 'EUR'
        from invented""",
    "core.account_start": """
        insert into core.account_start (account, live_since) values ('bench', timestamptz '2023-01-01')""",
}  # fmt: skip

# By index alone: without this the planner prefers to read whole tables.
BY_INDEX = "set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off"
PLAIN_READ = """
insert into worklist_like (as_of, agent, section, position, account, ticket_id, order_id, marketplace, ticket_type,
    status, reason, due_at, order_status, fulfilled_by, ship_by_at, total_amount, currency, items, since_at)
select period.until_at, coalesce(event.detail ->> 'agent', ''), event.kind, row_number() over (), ticket.account,
    ticket.ticket_id, ticket.order_id, ticket.marketplace, ticket.ticket_type, period.status,
    coalesce(clock.metric, ''), clock.due_at,
    placed.status, placed.fulfilled_by, placed.ship_by_at, placed.total_amount, placed.currency, item.title,
    period.from_at
from mart.ticket_status as period
inner join mart.ticket as ticket on period.account = ticket.account and period.ticket_id = ticket.ticket_id
left join mart.sla_clock as clock
    on ticket.account = clock.account and ticket.ticket_id = clock.ticket_id and clock.metric <> 'team'
left join core.amazon_order as placed on ticket.account = placed.account and ticket.order_id = placed.order_id
left join core.amazon_order_item as item on ticket.account = item.account and ticket.order_id = item.order_id
left join core.ticket_event as event
    on ticket.account = event.account and ticket.ticket_key = event.ticket_key and event.kind = 'assign'
where period.until_at = 'infinity' and period.status in ('new', 'open', 'on_hold')
"""

if __name__ == "__main__":
    _print_seconds_and_memory(sys.argv[1], int(sys.argv[2]))
