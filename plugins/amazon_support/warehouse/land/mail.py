"""Mails: landed with what they mean, published as mails, ticket events and placeholders of orders."""

import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from amazon_support.settings import Settings
from amazon_support.warehouse.land.batches import (
    as_json,
    claim,
    clean,
    copy_rows,
    mark_published,
    new_batch,
    run_steps,
)
from amazon_support.warehouse.steps import run_step

MAIL = "mail"
REREAD = "mail_reread"

# Amazon Business may write for any buyer from this alias: it tells nobody apart.
SHARED_ALIAS = re.compile(r"^no-?reply", re.IGNORECASE)

# Links look at facts published before them, so the order matters: what names its ticket, then what is found by it.
PUBLISH_MAIL = (
    "mail",
    "mail_pii",
    "placeholders",
    "statistics",
    "ticket_events",
    "statistics",
    "conversations_merged",
    "replies_unsettled",
    "reply_threads",
)
PUBLISH_MAIL_LAST = ("delivery_failures", "ticket_notes", "mail_details", "mail_tickets", "tickets_touched")
PUBLISH_MAIL_LOCK = 4_711_002
FORGET_MAIL = (
    "tickets_touched",
    "reread_forget_placeholders",
    "reread_forget_events",
    "reread_forget_words",
    "reread_forget_mail",
)


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
    batch_id = new_batch(connection, MAIL, account, mailbox, len(first))
    _copy_mail(
        connection,
        ((batch_id, account, row.mail_id, mailbox, folder, uid_validity, row) for row in first.values()),
        buyer_key,
    )
    return batch_id


def land_reread(
    connection: Connection, *, account: str, rows: Sequence[tuple[Mapping[str, Any], MailRow]], buyer_key: str
) -> int:
    """Writes mails that were read again as one batch: each beside how it was first landed (mailbox, folder,
    uid_validity).

    Returns: the batch's id.
    """
    batch_id = new_batch(connection, REREAD, account, "archive", len(rows))
    _copy_mail(
        connection,
        (
            (batch_id, account, row.mail_id, landed["mailbox"], landed["folder"], landed["uid_validity"], row)
            for landed, row in rows
        ),
        buyer_key,
    )
    return batch_id


def _copy_mail(
    connection: Connection, rows: Iterable[tuple[int, str, str, str, str, int, MailRow]], buyer_key: str
) -> None:
    copy_rows(
        connection,
        "pii.mail_received (batch_id, account, mail_id, mailbox, folder, uid_validity, uid, received_at, archived_as, "
        "meaning)",
        (
            (*place, row.uid, row.received_at, row.archived_as, as_json(with_buyer(row.meaning, buyer_key)))
            for *place, row in rows
        ),
    )


def publish_mail(connection: Connection, settings: Settings) -> int:
    """Turns every checked batch of mail into mails, ticket events and placeholders of orders not yet known,
    in the caller's transaction. A mail that is known already changes nothing.

    Returns: how many batches were published.
    """
    lock_publishing(connection)
    batch_ids, rows = claim(connection, MAIL)
    if batch_ids:
        _publish(connection, settings, batch_ids, rows)
        mark_published(connection, batch_ids)
    return len(batch_ids)


def publish_reread(connection: Connection, settings: Settings) -> int:
    """Gives mail that was read again its new meaning, in the caller's transaction, as if it had always had it.

    All of the account's mail from the first changed batch on is linked anew, because what came later may be linked to
    what came before. The raw mail in the archive is the fact; whatever is made of it is derived.

    Returns: how many batches were published.
    """
    lock_publishing(connection)
    reread_ids, _ = claim(connection, REREAD)
    if reread_ids:
        for changed in run_step(connection, "land/reread_meanings.sql", {"batch_ids": reread_ids}).all():
            _link_anew(connection, settings, **changed._mapping)
        run_step(connection, "land/reread_followers.sql")
        mark_published(connection, reread_ids)
    return len(reread_ids)


def publish_decided(connection: Connection, settings: Settings, account: str, first_batch_id: int) -> None:
    """Files and links the account's mail from that batch on anew, in the caller's transaction: after somebody decided
    what one of its mails is (core.mail_decision).
    """
    lock_publishing(connection)
    _link_anew(connection, settings, account, first_batch_id)
    run_step(connection, "land/reread_followers.sql")


def _link_anew(connection: Connection, settings: Settings, account: str, first_batch_id: int) -> None:
    found = run_step(connection, "land/reread_batches.sql", {"account": account, "first_batch_id": first_batch_id})
    batch_ids = list(found.scalars())
    run_steps(connection, FORGET_MAIL, {"batch_ids": batch_ids}, rows=0)
    for batch_id in batch_ids:  # in their old order, because links look at what was there before
        _publish(connection, settings, [batch_id], rows=0)


def lock_publishing(connection: Connection) -> None:
    """Until the end of the transaction nobody else publishes or links mail.

    Links look at what others have published: two publishers at once would miss each other's tickets.
    """
    connection.exec_driver_sql(f"select pg_advisory_xact_lock({PUBLISH_MAIL_LOCK})")


def _publish(connection: Connection, settings: Settings, batch_ids: list[int], rows: int) -> None:
    regions = {m.country: m.region for m in settings.marketplaces}
    parameters = {"batch_ids": batch_ids, "regions": json.dumps(regions)}
    run_steps(connection, PUBLISH_MAIL, parameters, rows)
    # Which question a reply answers depends on the replies before it: one reply a buyer and round.
    while run_step(connection, "land/replies_by_name.sql", parameters).rowcount:
        pass
    run_steps(connection, PUBLISH_MAIL_LAST, parameters, rows)


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


def with_buyer(meaning: dict[str, Any], key: str) -> dict[str, Any]:
    """The meaning as it is landed: fit for jsonb, with the buyer's keys."""
    return {
        **clean(meaning),
        "buyer_ref": buyer_ref(meaning.get("buyer_alias"), key),
        "buyer_name_key": buyer_name_key(meaning.get("buyer_name")),
    }
