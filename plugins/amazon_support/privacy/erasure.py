"""Erases what is held of one buyer, on request: every order, ticket, mail and message, at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine

from amazon_support.mail.archive import Archive
from amazon_support.privacy import files
from amazon_support.privacy.removal import (
    Due,
    PrivacyError,
    Removed,
    begin,
    counted,
    finish,
    note,
    remove_listed,
    session,
    wall_clock,
)
from amazon_support.settings.retention import Retention
from amazon_support.warehouse import run_step
from amazon_support.warehouse.land.mail import buyer_ref


@dataclass(frozen=True)
class Buyer:
    """One buyer of one account, as far as the warehouse tells them apart.

    Attributes:
        order_ids: every order known to be theirs. aliases: personal data. refs: keyed hashes of aliases.
        holds: how many orders, tickets and mails there are to erase.
    """

    account: str
    order_ids: tuple[str, ...]
    aliases: tuple[str, ...] = field(repr=False)
    refs: tuple[str, ...]
    holds: Due


@contextmanager
def find_buyer(
    engine: Engine, *, account: str, order_id: str | None = None, alias: str | None = None, buyer_key: str
) -> Iterator[tuple[Connection, Buyer]]:
    """Finds whatever is held of a buyer who is named by an order or by the alias that Amazon gave them.

    Args:
        alias: an address such as abc123@marketplace.amazon.de; a part +… of it does not matter.
        buyer_key: secret of the keyed hash that tells buyers apart.

    Yields: a connection on which nobody else removes anything, and the buyer; `erase` takes both.
    Raises: PrivacyError if nothing is known of the order or alias, or if the alias is that of many.
    """
    if alias and buyer_ref(alias, buyer_key) is None:
        raise PrivacyError("Amazon writes from that address for any buyer: name an order, or the buyer's own alias.")
    with session(engine) as connection:
        with connection.begin():
            named = _known(connection, account, order_id, alias, buyer_key)
            for step in ("orders", "tickets", "mail"):
                run_step(connection, f"privacy/erase_{step}.sql", named)
            order_ids = connection.exec_driver_sql("select order_id from privacy_due_order order by 1").scalars()
            buyer = Buyer(
                account,
                tuple(order_ids),
                tuple(named["aliases"]),
                tuple(named["buyer_refs"]),
                counted(connection),
            )
        if not (buyer.holds.tickets or buyer.holds.mails or _is_known(connection, account, buyer.order_ids)):
            raise PrivacyError(
                f"Account {account} knows nothing of that {'order' if order_id else 'address'}: "
                "check it, and the account."
            )
        yield connection, buyer


def erase(
    connection: Connection,
    buyer: Buyer,
    retention: Retention,
    archive: Archive,
    *,
    because: str,
    buyer_key: str,
) -> Removed:
    """Erases what `find_buyer` found, recorded with the request. May be killed at any moment and begun again.

    What comes of the buyer later is new: it is needed to serve a new order, and goes by retention. What was erased does
    not come back with it.

    Args:
        because: the request, such as its number; no personal data.

    Raises: ArchiveError if files cannot be taken out; the rest is done by then.
    """
    named = {"account": buyer.account, "order_ids": list(buyer.order_ids), "aliases": list(buyer.aliases)}
    with connection.begin():
        run_id = begin(connection, retention, "erasure", as_of=wall_clock(), because=because)
    counts = remove_listed(connection, run_id, retention.removed_together, buyer_key, lambda _: None)
    with connection.begin():
        loose = run_step(connection, "privacy/erase_loose.sql", named | {"removed_at": wall_clock()}).one()
        for kind, entries in loose._mapping.items():
            note(connection, run_id, kind, entries)
    removed = files.remove_archived(connection, archive)
    with connection.begin():
        finish(connection, run_id)
    return Removed(
        run_id,
        **counts,
        files=removed,
        received=loose.received,
        set_aside=loose.set_aside,
        messages=loose.message,
    )


def _known(
    connection: Connection, account: str, order_id: str | None, alias: str | None, buyer_key: str
) -> dict[str, Any]:
    """By what the buyer is known: grows until nothing is added, as an order names an alias and that other orders."""
    aliases: set[str] = {alias.strip().lower()} if alias else set()
    refs = {ref for each in aliases if (ref := buyer_ref(each, buyer_key))}
    before = -1
    while len(aliases) + len(refs) > before:
        before = len(aliases) + len(refs)
        named = {
            "account": account,
            "order_ids": [order_id] if order_id else [],
            "aliases": sorted(aliases),
            "buyer_refs": sorted(refs),
        }
        for row in run_step(connection, "privacy/buyer_known.sql", named):
            # An alias that tells nobody apart (buyer_ref is None) is many buyers'.
            if row.buyer_alias and (ref := buyer_ref(row.buyer_alias, buyer_key)):
                aliases.add(row.buyer_alias)
                refs.add(ref)
            if row.buyer_ref:
                refs.add(row.buyer_ref)
    return named


def _is_known(connection: Connection, account: str, order_ids: tuple[str, ...]) -> bool:
    with connection.begin():
        asked = {"account": account, "order_ids": list(order_ids)}
        return bool(run_step(connection, "privacy/orders_known.sql", asked).scalar_one())
