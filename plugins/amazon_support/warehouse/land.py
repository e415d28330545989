"""Landing and publishing: what a source brought becomes one batch; checked batches become facts."""

import hashlib
import hmac
import json
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from amazon_support.settings import Settings
from amazon_support.warehouse.steps import run_step
from amazon_support.window import Window

ORDERS, MAIL = "orders", "mail"

# Parts of an order that tell of the buyer, wherever they stand. Kept apart in pii.order_received: buyer and
# recipient; the rest is not kept at all. Source: orders_2026-01-01 model.
PERSONAL_PARTS = frozenset(
    {"buyer", "recipient", "payment", "taxRegistrations", "taxInvoicing", "customization", "giftOption"}
)
UNUSED_PARTS = frozenset({"shipFromAddress"})

# Amazon Business may write for any buyer from this alias: it tells nobody apart.
SHARED_ALIAS = re.compile(r"^no-?reply", re.IGNORECASE)

PUBLISH_ORDERS = ("orders", "statistics", "order_items_clear", "order_items", "order_contacts")
# Links look at facts published before them, so the order matters: what names its ticket, then what is found by it.
PUBLISH_MAIL = ("mail", "mail_pii", "placeholders", "statistics", "ticket_events", "statistics", "reply_threads")
PUBLISH_MAIL_LAST = ("delivery_failures", "ticket_notes", "mail_tickets", "tickets_touched")
PUBLISH_MAIL_LOCK = 4_711_002
LARGE_IMPORT = 2_000  # rows, from which on the planner's statistics are brought up to date on the way


@dataclass(frozen=True)
class MailRow:
    """One mail as it lands.

    Attributes:
        mail_id: sha256 hex, the mail's identity.
        received_at: aware UTC, when our server got it.
        archived_as: name of the raw mail in the archive.
        meaning: MailFacts.model_dump(mode="json").
    """

    mail_id: str
    uid: int
    received_at: datetime
    archived_as: str
    meaning: dict[str, Any]


# ---------- landing


def land_orders(
    connection: Connection, *, account: str, region: str, window: Window, orders: Iterable[dict[str, Any]]
) -> int:
    """Writes one pull of orders as one batch, personal data apart from the rest.

    Of an order that came twice the newest is kept. An order without an id is landed as ?1, ?2, ... so that the
    checks find it.

    Args:
        orders: in the JSON shape of Orders API 2026-01-01.

    Returns: the batch's id.
    """
    newest = _newest_of_each(orders)
    batch_id = _new_batch(connection, ORDERS, account, region, len(newest), window)
    _copy(
        connection,
        "raw.order_received (batch_id, account, order_id, region, payload)",
        ((batch_id, account, key, region, _json(_without_personal_data(order))) for key, order in newest.items()),
    )
    _copy(
        connection,
        "pii.order_received (batch_id, account, order_id, payload)",
        ((batch_id, account, key, _json(_personal_data(order))) for key, order in newest.items()),
    )
    return batch_id


def land_mail(
    connection: Connection,
    *,
    account: str,
    mailbox: str,
    folder: str,
    uid_validity: int,
    rows: Sequence[MailRow],
    buyer_key: str,
) -> int:
    """Writes some mails of one folder as one batch; of a mail that came twice the first is kept.

    Args:
        buyer_key: secret for the keyed hash that tells buyers apart without naming them.

    Returns: the batch's id.
    """
    first: dict[str, MailRow] = {}
    for row in rows:
        first.setdefault(row.mail_id, row)
    batch_id = _new_batch(connection, MAIL, account, mailbox, len(first))
    _copy(
        connection,
        "pii.mail_received (batch_id, account, mail_id, mailbox, folder, uid_validity, uid, received_at, archived_as, "
        "meaning)",
        (
            (
                batch_id,
                account,
                row.mail_id,
                mailbox,
                folder,
                uid_validity,
                row.uid,
                row.received_at,
                row.archived_as,
            )
            + (_json(_with_buyer(row.meaning, buyer_key)),)
            for row in first.values()
        ),
    )
    return batch_id


def buyer_ref(alias: str | None, key: str) -> str | None:
    """Keyed hash (HMAC-SHA256, 16 hex digits) of a buyer's alias without its `+case` part; None if it names nobody."""
    if not alias or SHARED_ALIAS.match(alias):
        return None
    identity = re.sub(r"\+[^@]*@", "@", alias.strip().lower())
    return hmac.new(key.encode(), identity.encode(), hashlib.sha256).hexdigest()[:16]


def buyer_name_key(name: str | None) -> str | None:
    """A buyer's name without case, accents and spacing; None if nothing is left of it."""
    letters = (c for c in unicodedata.normalize("NFKD", name or "") if not unicodedata.combining(c))
    return " ".join("".join(letters).casefold().split()) or None


# ---------- publishing


def publish_orders(connection: Connection, settings: Settings) -> int:
    """Turns every checked batch of orders into facts, in the caller's transaction.

    Never puts an older version over a newer one; a placeholder gives way to the order.

    Returns: how many batches were published.
    """
    batch_ids, rows = _claim(connection, ORDERS)
    if batch_ids:
        countries = {m.marketplace_id: m.country for m in settings.marketplaces}
        parameters = {"batch_ids": batch_ids, "marketplaces": json.dumps(countries)}
        _run(connection, PUBLISH_ORDERS, parameters, rows)
        _mark_published(connection, batch_ids)
    return len(batch_ids)


def publish_mail(connection: Connection, settings: Settings) -> int:
    """Turns every checked batch of mail into mails, ticket events and placeholders of orders not yet known,
    in the caller's transaction. A mail that is known already changes nothing.

    Returns: how many batches were published.
    """
    # Links look at what others have published: two publishers at once would miss each other's tickets.
    connection.exec_driver_sql(f"select pg_advisory_xact_lock({PUBLISH_MAIL_LOCK})")
    batch_ids, rows = _claim(connection, MAIL)
    if batch_ids:
        regions = {m.country: m.region for m in settings.marketplaces}
        parameters = {"batch_ids": batch_ids, "regions": json.dumps(regions)}
        _run(connection, PUBLISH_MAIL, parameters, rows)
        # Which question a reply answers depends on the replies before it: one reply a buyer and round.
        while run_step(connection, "land/replies_by_name.sql", parameters).rowcount:
            pass
        _run(connection, PUBLISH_MAIL_LAST, parameters, rows)
        _mark_published(connection, batch_ids)
    return len(batch_ids)


def _claim(connection: Connection, dataset: str) -> tuple[list[int], int]:
    batches = run_step(connection, "land/batches_to_publish.sql", {"dataset": dataset}).all()
    return [batch.batch_id for batch in batches], sum(batch.row_count for batch in batches)


def _run(connection: Connection, steps: Iterable[str], parameters: dict[str, Any], rows: int) -> None:
    for step in steps:
        if step != "statistics":
            run_step(connection, f"land/{step}.sql", parameters)
        elif rows >= LARGE_IMPORT:
            run_step(connection, f"land/{step}.sql")


def _mark_published(connection: Connection, batch_ids: list[int]) -> None:
    # Book-keeping: the wall clock, not the time the answers are true for.
    run_step(connection, "land/batches_published.sql", {"batch_ids": batch_ids, "published_at": datetime.now(UTC)})


# ---------- rows


def _new_batch(
    connection: Connection,
    dataset: str,
    account: str,
    scope: str,
    row_count: int,
    window: Window | None = None,
) -> int:
    batch_id: int = run_step(
        connection,
        "land/new_batch.sql",
        {
            "dataset": dataset,
            "account": account,
            "scope": scope,
            "window_start": window.start if window else None,
            "window_end": window.end if window else None,
            "row_count": row_count,
        },
    ).scalar_one()
    return batch_id


def _copy(connection: Connection, target: str, rows: Iterable[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"copy {target} from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def _newest_of_each(orders: Iterable[Any]) -> dict[str, dict[str, Any]]:
    newest: dict[str, dict[str, Any]] = {}
    nameless = 0
    for order in orders:
        order = _clean(order) if isinstance(order, dict) else {}
        key = order.get("orderId")
        if not isinstance(key, str) or not key.strip():
            nameless += 1
            key = f"?{nameless}"
        if key not in newest or _updated_at(order) >= _updated_at(newest[key]):
            newest[key] = order
    return newest


def _updated_at(order: dict[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(order["lastUpdatedTime"])
    except (KeyError, TypeError, ValueError):
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _without_personal_data(order: dict[str, Any]) -> dict[str, Any]:
    address = _part(_part(order.get("recipient")).get("deliveryAddress"))
    return {**_pruned(order), "shipCountry": address.get("countryCode")}


def _personal_data(order: dict[str, Any]) -> dict[str, Any]:
    return {"buyer": order.get("buyer"), "recipient": order.get("recipient")}


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _pruned(v) for k, v in value.items() if k not in PERSONAL_PARTS | UNUSED_PARTS}
    return [_pruned(item) for item in value] if isinstance(value, list) else value


def _part(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _with_buyer(meaning: dict[str, Any], key: str) -> dict[str, Any]:
    return {
        **_clean(meaning),
        "buyer_ref": buyer_ref(meaning.get("buyer_alias"), key),
        "buyer_name_key": buyer_name_key(meaning.get("buyer_name")),
    }


def _clean(value: Any) -> Any:
    """The value without what PostgreSQL's jsonb refuses: NUL characters, halves of characters, NaN."""
    if isinstance(value, dict):
        return {_clean(k): _clean(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
