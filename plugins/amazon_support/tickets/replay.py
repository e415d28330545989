"""What tickets and clocks would be, or would have been, under some policy: the pipeline's own SQL on scratch tables.

Everything happens in one transaction on a database beside the warehouse's, and is rolled back. The warehouse is only
read.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Annotated, Any, Literal

import yaml
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, ValidationError
from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ProgrammingError

from amazon_support.settings import Policy, ServiceLevels, Settings
from amazon_support.settings.service_levels import ServicePolicy
from amazon_support.tickets.as_of import clock_as_of, status_as_of
from amazon_support.tickets.clocks import Promises
from amazon_support.tickets.fold import fold_all
from amazon_support.warehouse import WarehouseError, engine, run_step
from amazon_support.warehouse.engine import ensure_database, warehouse_url
from amazon_support.warehouse.migrate import upgrade
from amazon_support.warehouse.steps import sql_text

Kind = Literal[
    "buyer_message", "reply", "notice", "assign", "hold", "solve", "no_response_needed", "unread",
    "delivery_failure", "close", "note",
]  # fmt: skip
NAME = "tried"
OF_ITSELF = ("solve_after_silence", "close_after_solved")  # of policy.yaml, may be tried too


class ReplayError(ValueError):
    """The file cannot be replayed; one line for each mistake says where and what was expected."""


class Event(BaseModel):
    """One thing that happens to a ticket. Further fields go into the event's detail.

    Attributes:
        id: told apart within the ticket; an event that is there twice counts once. reply: with delivery_failure, the
            id of the reply that did not arrive. deadline: with notice. priority: low, normal, high or urgent.
    """

    model_config = ConfigDict(extra="allow")

    at: AwareDatetime
    kind: Kind
    ticket: str
    id: str | None = None
    actor: str = "replay"
    account: str = "replay"
    marketplace: str | None = None
    type: str | None = None
    is_automatic: bool = False


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Document(BaseModel):
    """A file to replay. policy: as in policies.yaml; left out, the policies of the settings."""

    model_config = ConfigDict(extra="forbid")

    policy: Any = None
    events: tuple[Event, ...] = ()
    as_of: Annotated[tuple[AwareDatetime, ...], BeforeValidator(_one_or_more)] = ()


def read(text: str) -> Document:
    """The file's content.

    Raises: ReplayError naming every mistake.
    """
    try:
        return Document.model_validate_json(text)
    except ValidationError as error:
        raise ReplayError(_explain(error, "")) from None


def read_policy(text: str) -> Any:
    """A policy as `tried` takes it, from YAML or JSON; all of policies.yaml, with its key `service_levels`, is one too.

    Raises: ReplayError.
    """
    try:
        policy = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ReplayError(f"policy: not valid YAML: {error}") from None
    if isinstance(policy, dict) and set(policy) == {"service_levels"}:
        policy = policy["service_levels"]
    if not isinstance(policy, dict | list):
        raise ReplayError("policy: expected a policy as in policies.yaml, such as {metrics: {team: 8h}}")
    return policy


def replay(connection: Connection, document: Document, settings: Settings) -> list[dict[str, Any]]:
    """Each ticket at each instant of `as_of` at which it existed.

    Args:
        connection: to an empty scratch warehouse; nothing is committed.

    Returns: as_of, ticket, status, status_since, intervals {status, from, until, cause} so far, and metrics: name ->
    cycles begun so far. Instants are ISO 8601 in UTC; seconds are whole or have decimals.
    """
    policy, promises = tried(document.policy, settings)
    rows = [_row(number, event) for number, event in enumerate(document.events)]
    run_step(connection, "sla/replay_events.sql", {"events": json.dumps(rows)})
    fold_all(connection, policy, promises)
    measured = {name for each in promises.levels.policies for name, _ in each.metrics.measured()}
    return [found for as_of in document.as_of for found in _tickets(connection, as_of, promises, measured)]


def tried(policy: Any, settings: Settings) -> tuple[Policy, Promises]:
    """The rules with `policy` in place of the settings' own, or before them if it is not for all tickets at all times.

    Args:
        policy: one version of a policy as in policies.yaml, a list of them, or {calendars, policies}. The spans of
            policy.yaml, such as solve_after_silence, may be among its keys. None: the settings' own.

    Raises: ReplayError naming every mistake.
    """
    if policy is None:
        return settings.policy, Promises.of(settings)
    spans = {}
    if isinstance(policy, dict):
        spans = {key: policy[key] for key in OF_ITSELF if key in policy}
        policy = {key: value for key, value in policy.items() if key not in OF_ITSELF}
    own = settings.service_levels
    try:
        by_itself = Policy.model_validate({**settings.policy.model_dump(), **spans})
        if isinstance(policy, dict) and "policies" in policy:
            levels = ServiceLevels.model_validate(policy)
        else:
            entries = policy if isinstance(policy, list) else [policy]
            given = [ServicePolicy.model_validate({"name": NAME, **entry}) for entry in entries]
            is_whole = any(each.is_for_all and each.in_force_from is None for each in given)
            levels = ServiceLevels(calendars=own.calendars, policies=(*given, *(() if is_whole else own.policies)))
    except ValidationError as error:
        raise ReplayError(_explain(error, "policy.")) from None
    return by_itself, Promises.of(settings, levels)


def _row(number: int, event: Event) -> dict[str, Any]:
    return {
        "account": event.account,
        "source": event.ticket,
        "source_id": event.id or f"event {number}",
        "ticket_key": event.ticket,
        "marketplace": event.marketplace,
        "kind": event.kind,
        "ticket_type": event.type,
        "occurred_at": event.at.isoformat(),
        "source_order": number,
        "actor": event.actor,
        "is_automatic": event.is_automatic,
        "detail": event.model_extra or {},
    }


def _tickets(
    connection: Connection, as_of: datetime, promises: Promises, measured: set[str]
) -> Iterator[dict[str, Any]]:
    clocks: dict[tuple[str, str], dict[str, list[dict[str, Any]]]] = {}
    for clock in clock_as_of(connection, as_of, promises):
        metrics = clocks.setdefault((clock["account"], clock["ticket_id"]), {})
        metrics.setdefault(clock["metric"], []).append(_cycle(clock))
    rows = run_step(connection, "sla/replay_intervals.sql", {"as_of": as_of}).mappings()
    intervals = {
        key: [
            {"status": r["status"], "from": _iso(r["from_at"]), "until": _iso(r["until_at"]), "cause": r["cause"]}
            for r in group
        ]
        for key, group in groupby(rows, key=lambda r: (r["account"], r["ticket_id"]))
    }
    for ticket in status_as_of(connection, as_of):
        key = (ticket["account"], ticket["ticket_id"])
        yield {
            "as_of": _iso(as_of),
            "ticket": ticket["ticket_id"],
            "status": ticket["status"],
            "status_since": _iso(ticket["status_since"]),
            "intervals": intervals[key],
            "metrics": {name: [] for name in sorted(measured)} | clocks.get(key, {}),
        }


def _interval(row: Any) -> dict[str, Any]:
    return {
        "status": row["status"],
        "from": _iso(row["from_at"]),
        "until": _iso(row["until_at"]),
        "cause": row["cause"],
    }


def _cycle(clock: Any) -> dict[str, Any]:
    return {
        "cycle": clock["cycle"],
        "started_at": _iso(clock["started_at"]),
        "due_at": _iso(clock["due_at"]),
        "stopped_at": _iso(clock["stopped_at"]),
        "stopped_by": clock["stopped_by"],
        "elapsed_seconds": _number(clock["elapsed_seconds"]),
        "paused_seconds": _number(clock["paused_seconds"]),
        "time_left_seconds": clock["seconds_left"],
        "state": clock["state"],
        "breached_at": _iso(clock["breached_at"]),
        "policy": clock["policy"],
        "calendar": clock["calendar"],
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


def _number(seconds: Decimal) -> int | float:
    return int(seconds) if seconds == int(seconds) else float(seconds)


def _explain(error: ValidationError, prefix: str) -> str:
    return "\n".join(f"{prefix}{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors())


# ---------- the warehouse's own last days


@dataclass(frozen=True)
class Load:
    """What one metric asked of people in the days replayed.

    cycles: begun in them. warned, breached: instants of being at risk, and of breach, that fell in them.
    """

    metric: str
    cycles: int
    warned: int
    breached: int


@dataclass(frozen=True)
class Difference:
    """What another policy would have changed.

    before, after: one row a metric. no_longer, newly: breaches (account, ticket_id, metric, started_at) that would
    not have been, and that would have been.
    """

    since: datetime
    as_of: datetime
    before: tuple[Load, ...]
    after: tuple[Load, ...]
    no_longer: tuple[tuple[Any, ...], ...]
    newly: tuple[tuple[Any, ...], ...]

    def json(self) -> str:
        return json.dumps(asdict(self), indent=2, default=_iso)

    def table(self) -> str:
        before, after = ({load.metric: load for load in loads} for loads in (self.before, self.after))
        lines = [
            f"{self.since:%Y-%m-%d %H:%M} to {self.as_of:%Y-%m-%d %H:%M} UTC: as it is -> as tried",
            f"{'metric':24}{'cycles':>18}{'warned':>18}{'breached':>18}",
        ]
        for metric in sorted({*before, *after}):
            pair = before.get(metric, Load(metric, 0, 0, 0)), after.get(metric, Load(metric, 0, 0, 0))
            cells = [f"{getattr(pair[0], c)} -> {getattr(pair[1], c)}" for c in ("cycles", "warned", "breached")]
            lines.append(f"{metric:24}" + "".join(f"{cell:>18}" for cell in cells))
        for what, breaches in (("no longer breached", self.no_longer), ("newly breached", self.newly)):
            lines += [f"{what}: {metric} of {ticket} since {_iso(began)}" for _, ticket, metric, began in breaches]
        return "\n".join(lines)


def replay_history(
    warehouse: Connection, scratch: Connection, policy: Any, settings: Settings, *, days: int, as_of: datetime
) -> Difference:
    """Folds the tickets with events in the `days` before `as_of` by the settings, then by `policy` too, and compares.

    Args:
        warehouse: is only read. scratch: to an empty scratch warehouse; nothing is committed.
    """
    since = as_of - timedelta(days=days)
    window = {"since": since, "as_of": as_of}
    copy_rows(warehouse, sql_text("sla/replay_history.sql"), scratch, "core.ticket_event", window)
    found = []
    for rules in ((settings.policy, Promises.of(settings)), tried(policy, settings)):
        fold_all(scratch, *rules)
        loads = tuple(Load(**row) for row in run_step(scratch, "sla/replay_load.sql", window).mappings())
        breaches = {tuple(row) for row in run_step(scratch, "sla/replay_breaches.sql", window)}
        found.append((loads, breaches))
    (before, were), (after, would) = found
    return Difference(since, as_of, before, after, tuple(sorted(were - would)), tuple(sorted(would - were)))


def copy_rows(source: Connection, query: str, target: Connection, table: str, parameters: Any = None) -> None:
    """Copies what `query` finds into a table of another database, in bounded memory.

    Args:
        query: its columns have the names of the table's.
    """
    reading, writing = _driver(source), _driver(target)
    with reading.cursor() as cursor:
        cursor.execute(f"{query} limit 0", parameters)
        columns = ", ".join(column.name for column in cursor.description or ())
        with (
            cursor.copy(f"copy ({query}) to stdout", parameters) as found,
            writing.cursor() as beside,
            beside.copy(f"copy {table} ({columns}) from stdin") as written,
        ):
            for block in found:
                written.write(block)


def _driver(connection: Connection) -> Any:
    return connection.connection


# ---------- where it happens


@contextmanager
def scratch(url: str | None = None) -> Iterator[Connection]:
    """A connection to an empty warehouse of the newest schema, on the server of `url`; what it does is undone.

    Args:
        url: of the warehouse; default: the one named by the environment.

    Raises: WarehouseError if the server cannot be reached, or may not make the database.
    """
    target = make_url(url or warehouse_url())
    name = f"{target.database or 'warehouse'}_scratch"
    try:
        ensure_database(target.render_as_string(hide_password=False), name)
    except ProgrammingError as error:
        raise WarehouseError(
            f"The user {target.username} may not make the database {name}, in which policies are tried: "
            f"have somebody run `create database {name} owner {target.username}`."
        ) from error
    beside = target.set(database=name).render_as_string(hide_password=False)
    upgrade(beside)
    bound = engine(beside)
    try:
        with bound.connect() as connection:
            yield connection
            connection.rollback()
    finally:
        bound.dispose()
