"""One source pulled by hand, in this process: what came is given back, or loaded into the warehouse.

Airflow is asked for credentials at most. What must be waited for is waited for in place: by hand no worker is kept
from other work.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine

from amazon_support.outputs.items import one_line
from amazon_support.settings import Account, Settings
from amazon_support.sources import account_health, feedback, orders
from amazon_support.sources.amazon import AmazonClient, Credentials
from amazon_support.sources.errors import BadCredentials, ComeBackAt, SourceError
from amazon_support.sources.feedback_report import Parsed
from amazon_support.sources.memory import Memory, ShortMemory
from amazon_support.sources.order_history import Pulled
from amazon_support.sources.rates import RateLimiter
from amazon_support.warehouse import land
from amazon_support.warehouse.land import DeskActionRow
from amazon_support.warehouse.land.batches import BadLine
from amazon_support.warehouse.land.orders import PERSONAL_PARTS
from amazon_support.window import Window

Record = dict[str, Any]
Progress = Callable[[str], None]
Result = TypeVar("Result")

DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)
VARIABLES = {
    "refresh_token": "AMAZON_SP_API_REFRESH_TOKEN",
    "client_id": "AMAZON_SP_API_CLIENT_ID",
    "client_secret": "AMAZON_SP_API_CLIENT_SECRET",
}


@dataclass(frozen=True)
class Errand:
    """What is to be pulled, and with what.

    Attributes:
        window: aware UTC; not live: a pull by hand moves no watermark and writes to nobody.
        folder: for documents on their way; the caller removes it.
        now: wall clock, aware UTC.
        progress: is told what is being done or waited for.
        order_id: of the one order, where one is asked for.
    """

    client: AmazonClient
    settings: Settings
    window: Window
    folder: Path
    now: datetime
    progress: Progress
    order_id: str = ""
    memory: Memory = field(default_factory=ShortMemory)

    @property
    def marketplace_ids(self) -> list[str]:
        who = self.client.credentials
        return self.settings.marketplace_ids(self.settings.account(who.account), who.region)


@dataclass(frozen=True)
class Source:
    """One of Amazon's sources.

    Attributes:
        fetch: gives the records and writes nothing.
        pull: lands them; gives references and counts as a dataclass.
        datasets: that `pull` may land, in the order of publishing.
        columns: what a table shows of a record.
        personal: names of the parts of a record, wherever they stand, that tell of a person.
        usual_span: what is asked for where nobody says since when. longest_span: what Amazon tells at once.
    """

    fetch: Callable[[Errand], Iterable[Record]]
    pull: Callable[[Errand, Engine], Any]
    datasets: tuple[str, ...]
    columns: Callable[[Record, Settings], Record]
    personal: frozenset[str] = frozenset()
    usual_span: timedelta = DAY
    longest_span: timedelta = timedelta.max


@dataclass(frozen=True)
class Fetched:
    """Records of a source, as JSON has them, and as rows of a table."""

    records: list[Record]
    rows: list[Record]
    problem: str = ""

    def json(self) -> str:
        """One object a line."""
        return "\n".join(json.dumps(record, ensure_ascii=False) for record in self.records)

    def table(self) -> str:
        """Lined up under headings; columns that are empty in every row are left out."""
        shown = [{name: _cell(value) for name, value in row.items()} for row in self.rows]
        columns = [name for name in (shown[0] if shown else {}) if any(row[name] for row in shown)]
        lines = [{name: name for name in columns}, *shown] if shown else []
        widths = {name: max(len(line[name]) for line in lines) for name in columns}
        return "\n".join("  ".join(f"{line[name]:<{widths[name]}}" for name in columns).rstrip() for line in lines)


@dataclass(frozen=True)
class Loaded:
    """What became of a pull in the warehouse.

    Attributes:
        pulled: references and counts of the pull itself.
        rows: checked; set_aside: those of them in quarantine; broken_rules: rows by rule, warnings too.
        published: batches by dataset; all that were ready, whoever landed them.
        problem: why a batch as a whole waits for a person; empty if none does.
    """

    pulled: Record
    rows: int
    set_aside: int
    broken_rules: dict[str, int]
    published: dict[str, int]
    problem: str = ""

    def json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    def table(self) -> str:
        """One figure a line."""
        figures = {**self.pulled, "rows": self.rows, "set_aside": self.set_aside, "broken_rules": self.broken_rules}
        figures["published"] = self.published
        told = {name: _cell(value) for name, value in figures.items() if name != "calls"}
        width = max(map(len, told))
        return "\n".join(f"{name.replace('_', ' '):<{width}}  {value or '-'}" for name, value in told.items())


def fetch(source: Source, errand: Errand, *, with_personal_data: bool) -> Fetched:
    """What the source has; if it breaks off, what came before, and the problem.

    Raises: SourceError if nothing came.
    """
    left_out = frozenset() if with_personal_data else source.personal
    records, problem = [], ""
    try:
        for record in source.fetch(errand):
            records.append(_plain(record, left_out))
    except SourceError as error:
        if not records:
            raise
        problem = str(error)
    return Fetched(records, [source.columns(record, errand.settings) for record in records], problem)


def load(source: Source, errand: Errand, engine: Engine) -> Loaded:
    """Lands what the source has, checks it and publishes what passed, each in a transaction of its own.

    What is killed between two of them is finished by the next run that checks or publishes the dataset.

    Raises: SourceError; QualityError if the checks could not be carried out.
    """
    pulled = patiently(lambda: source.pull(errand, engine), errand.progress)
    account = errand.client.credentials.account
    return settle(pulled, source.datasets, account, errand.settings, engine, errand.now, errand.progress)


def settle(
    pulled: Any,
    datasets: Sequence[str],
    account: str,
    settings: Settings,
    engine: Engine,
    now: datetime,
    progress: Progress,
) -> Loaded:
    """Checks what was landed and publishes what passed.

    Args:
        pulled: references and counts of the pull, a dataclass. account: whose batches are reported.

    Raises: QualityError if the checks could not be carried out.
    """
    from amazon_support import quality

    progress("Checking what came")
    checked = [quality.check(engine, name, settings, as_of=now) for name in datasets]
    verdicts = [verdict for found in checked for verdict in found if verdict.account == account]
    progress("Publishing what passed")
    published = {}
    for name in datasets:
        with engine.begin() as connection:
            published[name] = land.PUBLISH[name](connection, settings)
    rejected = [f"batch {v.batch_id}: {v.rejected_because}" for v in verdicts if v.rejected_because]
    return Loaded(
        pulled=_plain(asdict(pulled)),
        rows=sum(verdict.rows for verdict in verdicts),
        set_aside=sum(verdict.quarantined for verdict in verdicts),
        broken_rules=dict(sum((Counter(verdict.broken_rules) for verdict in verdicts), Counter())),
        published=published,
        problem=f"Rejected as a whole, and waiting for a person: {'; '.join(rejected)}" if rejected else "",
    )


def actions_of(rows: Sequence[DeskActionRow], bad_lines: Sequence[BadLine], *, with_personal_data: bool) -> Fetched:
    """What a desk's export holds, in our words."""
    left_out = frozenset() if with_personal_data else frozenset({"text", "received"})
    records = [_plain(asdict(row), left_out) for row in rows]
    shown = ("line_number", "occurred_at", "kind", "agent", "stakeholder", "status", "actor")
    columns = [
        {
            **{name.replace("_", " "): record[name] for name in shown},
            "ticket": _joined(", ", *(record[name] for name in ("ticket_id", "order_id", "case_id", "buyer_ref"))),
            "text": record.get("text"),
        }
        for record in records
    ]
    bad = "; ".join(f"line {line.number}: {line.reason}" for line in bad_lines)
    return Fetched(records, columns, f"Cannot be read: {bad}" if bad else "")


# ---------- who asks, and how fast


def credentials_from_environment(account: str, region: str) -> Credentials | None:
    """Credentials from the variables AMAZON_SP_API_…; None if none of them is set.

    Raises: BadCredentials if only some of them are.
    """
    given = {name: os.environ.get(variable, "") for name, variable in VARIABLES.items()}
    if not any(given.values()):
        return None
    if missing := [VARIABLES[name] for name, value in given.items() if not value]:
        raise BadCredentials(f"The environment lacks {', '.join(missing)}; set all three, or none for Airflow's.")
    return Credentials(connection="none (environment)", account=account, region=region, **given)


def credentials_from_airflow(account: Account, region: str) -> Credentials:
    """Credentials from the account's Airflow connection for the region.

    Raises: BadCredentials if it has none, with what was found instead.
    """
    from amazon_support.orchestration import hooks

    found = []
    for name in account.amazon_connections:
        try:
            credentials = hooks.AmazonSpApiHook(name, account.name).get_conn().credentials
        except BadCredentials as problem:
            found.append(str(problem))
            continue
        if credentials.region == region:
            return credentials
        found.append(f"Connection {name} is of region {credentials.region}.")
    raise BadCredentials(
        f"No connection of account {account.name} for region {region}. {' '.join(found)} "
        f"Without Airflow set {', '.join(VARIABLES.values())}."
    )


def client(credentials: Credentials, engine: Engine | None, now: datetime, progress: Progress) -> AmazonClient:
    """A client that takes its turns in the rates that all jobs share, however long it waits for one.

    Without a warehouse it waits only when Amazon asks it to.
    """

    def sleep(seconds: float) -> None:
        progress(f"Waiting {seconds:.0f} s until Amazon may be asked again")
        time.sleep(seconds)

    if engine is None:
        return AmazonClient(credentials, sleep=sleep)
    limiter = RateLimiter(
        engine,
        account=credentials.account,
        region=credentials.region,
        run=f"by hand {now:%Y-%m-%dT%H:%M:%SZ}",
        memory=ShortMemory(),
        sleep=sleep,
        patience=timedelta.max,
    )
    return AmazonClient(credentials, limiter, sleep=sleep)


def patiently(step: Callable[[], Result], progress: Progress, sleep: Callable[[float], None] = time.sleep) -> Result:
    """Takes the step, and whenever it is to be taken again later, waits and takes it again."""
    while True:
        try:
            return step()
        except ComeBackAt as later:
            seconds = max(0.0, (later.moment - datetime.now(UTC)).total_seconds())
            progress(f"{later.why}; asking again in {seconds:.0f} s")
            sleep(seconds)


# ---------- orders


def _fetch_orders(errand: Errand) -> Iterable[Record]:
    account, window = errand.client.credentials.account, errand.window
    return orders.fetch_orders(errand.client, errand.settings, account, window.start, window.end)


def _pull_orders(errand: Errand, engine: Engine) -> Any:
    return orders.pull_orders(engine, errand.client, errand.settings, errand.window, **_rest(errand))


def _fetch_order(errand: Errand) -> Iterable[Record]:
    return [orders.fetch_order(errand.client, errand.order_id)]


def _pull_order(errand: Errand, engine: Engine) -> Pulled:
    who, found = errand.client.credentials, _fetch_order(errand)
    with engine.begin() as connection:
        batch_id = land.land_orders(
            connection, account=who.account, region=who.region, window=errand.window, orders=found
        )
    return Pulled(who.account, who.region, [batch_id], 1, "order id", errand.client.calls)


def _order_columns(order: Record, settings: Settings) -> Record:
    site = settings.by_id.get(_part(order, "salesChannel", "marketplaceId"))
    total = _part(order, "proceeds", "grandTotal")
    address = ("name", "addressLine1", "addressLine2", "postalCode", "city", "countryCode")
    return {
        "order": order.get("orderId"),
        "site": site.country if site else _part(order, "salesChannel", "marketplaceName"),
        "status": _part(order, "fulfillment", "fulfillmentStatus"),
        "by": _part(order, "fulfillment", "fulfilledBy"),
        "ordered": order.get("createdTime"),
        "changed": order.get("lastUpdatedTime"),
        "ship by": _part(order, "fulfillment", "shipByWindow", "latestDateTime"),
        "total": _joined(" ", _part(total, "amount"), _part(total, "currencyCode")),
        "buyer": _part(order, "buyer", "buyerName"),
        "e-mail": _part(order, "buyer", "buyerEmail"),
        "ships to": _joined(", ", *(_part(order, "recipient", "deliveryAddress", line) for line in address)),
        "items": _joined(", ", *map(_item, order.get("orderItems") or [])),
    }


def _item(item: Any) -> str:
    name = _part(item, "product", "title") or _part(item, "product", "asin")
    return f"{_part(item, 'quantityOrdered')} × {name} ({_part(item, 'product', 'sellerSku')})"


# ---------- feedback


def _fetch_feedback(errand: Errand) -> Iterable[Record]:
    """What was rated inside the window; its reports reach back 90 days whatever is asked for.

    Raises: after what could be had, SourceError with what could not.
    """
    found: dict[str, Parsed | SourceError | None] = {}

    def step() -> None:
        feedback.fetch_feedback(errand.client, errand.settings, errand.window, found=found, **_rest(errand))

    patiently(step, errand.progress)
    first, last = errand.window.start.date(), (errand.window.end - INSTANT).date()
    for marketplace, parsed in found.items():
        errand.progress(f"{marketplace}: {_outcome(parsed)}")
        for row in parsed.rows if isinstance(parsed, Parsed) else ():
            if first <= row.rated_on <= last:
                yield {"marketplace": marketplace, **asdict(row)}
    if failed := [str(error) for error in found.values() if isinstance(error, SourceError)]:
        raise SourceError(" ".join(failed))


def _outcome(parsed: Parsed | SourceError | None) -> str:
    if parsed is None:
        return "Amazon made no report"
    if isinstance(parsed, SourceError):
        return "not read"
    bad = ", ".join(f"line {line.number} ({line.reason})" for line in parsed.bad_lines)
    return f"{len(parsed.rows)} lines in the report" + (f"; unreadable: {bad}" if bad else "")


def _pull_feedback(errand: Errand, engine: Engine) -> Any:
    return feedback.pull_feedback(engine, errand.client, errand.settings, errand.window, **_rest(errand))


def _feedback_columns(row: Record, settings: Settings) -> Record:
    return {
        "site": row["marketplace"],
        "day": row["rated_on"],
        "stars": row["rating"],
        "order": row["order_id"],
        "e-mail": row.get("rater_email"),
        "comments": row.get("comments"),
        "our response": row.get("response"),
    }


# ---------- account health


def _fetch_health(errand: Errand) -> Iterable[Record]:
    found = patiently(
        lambda: account_health.fetch_account_health(
            errand.client, errand.marketplace_ids, memory=errand.memory, folder=errand.folder
        ),
        errand.progress,
    )
    for note in found.notes:
        errand.progress(note)
    statuses = found.health.statuses if found.health else []
    metrics = found.health.metrics if found.health else []
    yield from ({"kind": "account_status", **asdict(status)} for status in statuses)
    yield from ({"kind": "metric", **asdict(metric)} for metric in metrics)
    yield from ({"kind": "contact_response", **asdict(response)} for response in found.contact_responses)


def _pull_health(errand: Errand, engine: Engine) -> Any:
    return account_health.pull_account_health(engine, errand.client, errand.settings, errand.window, **_rest(errand))


def _health_columns(record: Record, settings: Settings) -> Record:
    site = settings.by_id.get(record.get("marketplace") or "")
    is_response = record["kind"] == "contact_response"
    value = record.get("share_under_24h") if is_response else record.get("value")
    return {
        "site": site.country if site else record.get("marketplace"),
        "what": "answered_under_24h" if is_response else record.get("name") or record["kind"],
        "by": record.get("fulfilment"),
        "status": record.get("status"),
        "value": value,
        "target": _joined(" ", record.get("target_condition"), record.get("target_value")),
        "from": record.get("period_start"),
        "to": record.get("period_end"),
    }


# ---------- what sources have in common

SOURCES = {
    "orders": Source(_fetch_orders, _pull_orders, ("orders", "order_report"), _order_columns, PERSONAL_PARTS),
    "order": Source(_fetch_order, _pull_order, ("orders",), _order_columns, PERSONAL_PARTS),
    "feedback": Source(
        _fetch_feedback,
        _pull_feedback,
        ("feedback",),
        _feedback_columns,
        personal=frozenset({"comments", "response", "rater_email"}),
        usual_span=feedback.FEEDBACK_WINDOW,
        longest_span=feedback.FEEDBACK_WINDOW,
    ),
    "health": Source(_fetch_health, _pull_health, ("account_health",), _health_columns),
}


def _rest(errand: Errand) -> dict[str, Any]:
    return {"memory": errand.memory, "folder": errand.folder, "now": errand.now}


def _part(record: Any, *path: str) -> Any:
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return record


def _joined(separator: str, *parts: Any) -> str:
    return separator.join(str(part) for part in parts if part not in (None, ""))


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        value = ", ".join(f"{count} {name}" for name, count in value.items())
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return "" if value is None else one_line(str(value))


def _plain(value: Any, left_out: frozenset[str] = frozenset()) -> Any:
    """The value as JSON has it, without the parts of these names."""
    if isinstance(value, dict):
        return {name: _plain(part, left_out) for name, part in value.items() if name not in left_out}
    if isinstance(value, list | tuple):
        return [_plain(part, left_out) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
