"""Builders for what happens to tickets, and readers for what the fold makes of it. Times are UTC."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from amazon_support import tickets
from amazon_support.settings import Policy

KEY = "DE:order:302-1234567-1234567"
POLICY = Policy()

Event = dict[str, Any]

INSERT = """
insert into core.ticket_event (
    account, source, source_id, ticket_key, marketplace, kind, ticket_type, occurred_at, source_order, actor,
    order_id, case_id, buyer_ref, is_automatic, detail
)
select account, source, source_id, ticket_key, marketplace, kind, ticket_type, occurred_at, source_order, actor,
    order_id, case_id, buyer_ref, is_automatic, detail
from jsonb_populate_recordset(null::core.ticket_event, %(events)s::jsonb)
on conflict (account, source, source_id) do nothing
"""

TOUCH = """
insert into ops.ticket_touched (account, ticket_key)
select distinct account, ticket_key from jsonb_populate_recordset(null::core.ticket_event, %(events)s::jsonb)
on conflict (account, ticket_key) do nothing
"""


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def written(instant: datetime | None) -> str | None:
    """The instant as histories write it: without seconds where there are none."""
    if instant is None:
        return None
    return f"{instant:%Y-%m-%d %H:%M}" if not instant.second else f"{instant:%Y-%m-%d %H:%M:%S}"


def history(*events: tuple[Any, ...], key: str = KEY, account: str = "main") -> list[Event]:
    """Events from (when, kind) or (when, kind, {other fields}); source_id counts e1, e2, … in the order given."""
    return [
        event(when, kind, key=key, account=account, **{"source_id": f"e{number}", **dict(*fields)})
        for number, (when, kind, *fields) in enumerate(events, 1)
    ]


def event(when: str | datetime, kind: str, *, key: str = KEY, account: str = "main", **fields: Any) -> Event:
    instant = moment(when) if isinstance(when, str) else when
    return {
        "account": account,
        "source": "test",
        "source_id": "e1",
        "ticket_key": key,
        "marketplace": "DE",
        "kind": kind,
        "occurred_at": instant.isoformat(),
        "source_order": 0,
        "actor": "test",
        "is_automatic": False,
        "detail": {},
    } | fields


def record(connection: Connection, events: Iterable[Event]) -> None:
    """Writes the events and touches their tickets, as landing does."""
    parameters = {"events": json.dumps(list(events))}
    connection.exec_driver_sql(INSERT, parameters)
    connection.exec_driver_sql(TOUCH, parameters)


def fold(connection: Connection, *events: tuple[Any, ...]) -> tickets.FoldCounts:
    """Records one ticket's history and folds it."""
    record(connection, history(*events))
    return tickets.fold(connection, POLICY)


def statuses(connection: Connection, ticket_id: str = KEY) -> list[tuple[str, str, str]]:
    """(from, status, cause) of each period. That each begins where the one before ends is checked here."""
    rows = connection.exec_driver_sql(
        "select from_at, status, cause, nullif(until_at, 'infinity') from mart.ticket_status"
        " where ticket_id = %(ticket_id)s order by from_at",
        {"ticket_id": ticket_id},
    ).all()
    assert [until for *_, until in rows] == [start for start, *_ in rows[1:]] + [None] * bool(rows)
    return [(str(written(start)), status, cause) for start, status, cause, _ in rows]


def clocks(connection: Connection, ticket_id: str = KEY) -> list[tuple[str | None, ...]]:
    """(started, stopped, stopped by) of each cycle of the Amazon reply clock."""
    rows = connection.exec_driver_sql(
        "select started_at, stopped_at, stopped_by from mart.sla_clock"
        " where ticket_id = %(ticket_id)s and metric = 'amazon_reply' order by cycle",
        {"ticket_id": ticket_id},
    )
    return [(written(started), written(stopped), by) for started, stopped, by in rows]


def answers(connection: Connection) -> Sequence[str]:
    """Everything the fold wrote, row by row, as text."""
    return [
        row
        for table in ("ticket", "ticket_status", "sla_clock")
        for row in connection.exec_driver_sql(f"select t::text from mart.{table} as t order by 1").scalars()
    ]
