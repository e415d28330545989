"""What becomes of a mail once its bytes are here, wherever they came from: archived, explained, landed."""

import email.policy
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Any

from sqlalchemy import Connection

from amazon_support import mail
from amazon_support.mail.archive import Archive, name_of
from amazon_support.warehouse import run_step
from amazon_support.warehouse.land import MailRow, land_mail

log = logging.getLogger(__name__)

KEEPERS = 8  # mails archived at once
END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True)
class Arrived:
    """A mail as it came. received_at: aware UTC. uid: its number where it came from."""

    uid: int
    received_at: datetime
    raw: bytes


@dataclass(frozen=True)
class Understood:
    """A mail that is archived, with the account it belongs to and what it means."""

    account: str
    row: MailRow

    @property
    def kind(self) -> str:
        return str(self.row.meaning["kind"])

    @property
    def is_unreadable(self) -> bool:
        return "failed:reading" in self.row.meaning["signals"]


@dataclass(frozen=True)
class Place:
    """Where mails came from. account: whose mailbox it is; a mail in it can be another account's."""

    account: str
    mailbox: str
    folder: str
    uid_validity: int


def understand(arrived: Sequence[Arrived], archive: Archive, owner: str, tags: Mapping[str, str]) -> list[Understood]:
    """Archives the mails and says whose they are and what they mean.

    Args:
        owner: account of the mailbox; what no tag gives to another is its.
        tags: of our own addresses -> "account", "account/COUNTRY" or "/COUNTRY".

    Raises: ArchiveError if one cannot be kept.
    """
    # To archive is to wait, for the disk or for an object store; meanwhile those that are kept are explained.
    with ThreadPoolExecutor(KEEPERS) as keepers:
        names = keepers.map(archive.put, [each.raw for each in arrived])
        return [explained(each, name, owner, tags) for each, name in zip(arrived, names, strict=True)]


def without_removed(connection: Connection, arrived: Sequence[Arrived]) -> list[Arrived]:
    """Those whose bytes are not of a mail that was removed: a removed mail may still be in its mailbox."""
    names = {each.uid: name_of(each.raw) for each in arrived}
    found = run_step(connection, "privacy/files_to_leave_out.sql", {"names": list(names.values())})
    removed = set(found.scalars())
    return [each for each in arrived if names[each.uid] not in removed]


def without_copies_of_removed(
    connection: Connection, archive: Archive, understood: Sequence[Understood]
) -> list[Understood]:
    """Those that are no other copy of a mail that was removed; such a copy leaves the archive again.

    Raises: ArchiveError if it cannot be taken out.
    """
    parameters = {
        "accounts": [each.account for each in understood],
        "mail_ids": [each.row.mail_id for each in understood],
    }
    found = run_step(connection, "privacy/mail_to_leave_out.sql", parameters)
    removed = {(row.account, row.mail_id) for row in found}
    kept = [each for each in understood if (each.account, each.row.mail_id) not in removed]
    needed = {each.row.archived_as for each in kept}
    for each in understood:
        if (each.account, each.row.mail_id) in removed and each.row.archived_as not in needed:
            archive.remove(each.row.archived_as)
    return kept


def explained(arrived: Arrived, name: str, owner: str, tags: Mapping[str, str]) -> Understood:
    """Whose an archived mail is and what it means. name: in the archive; the rest as in `understand`."""
    meaning = _explained(mail.explain, arrived, name)
    tag = next((tag for tag in meaning["delivered_to_tags"] if tag in tags), None)
    account, _, country = tags[tag].partition("/") if tag else ("", "", "")
    if country and not meaning["marketplace"]:
        meaning["marketplace"] = country
    row = MailRow(
        mail_id=meaning["mail_id"],
        uid=arrived.uid,
        received_at=arrived.received_at,
        archived_as=name,
        meaning=meaning,
    )
    return Understood(account or owner, row)


def land(connection: Connection, place: Place, understood: Sequence[Understood], *, buyer_key: str) -> list[int]:
    """Lands the mails, those of each account as a batch of its own. Returns the batches' ids."""
    rows: dict[str, list[MailRow]] = {}
    for each in understood:
        rows.setdefault(each.account, []).append(each.row)
    return [
        land_mail(
            connection,
            account=account,
            mailbox=place.mailbox,
            folder=place.folder,
            uid_validity=place.uid_validity,
            rows=of_account,
            buyer_key=buyer_key,
        )
        for account, of_account in rows.items()
    ]


def note_start(connection: Connection, accounts: Iterable[str], live_since: datetime) -> None:
    """Notes from when on the accounts' mail makes somebody late, of each account once: later calls change nothing."""
    parameters = {"accounts": sorted(set(accounts)), "live_since": live_since}
    run_step(connection, "land/account_start.sql", parameters)


def receiving_accounts(owner: str, tags: Mapping[str, str]) -> set[str]:
    """Accounts whose mail can come to a mailbox with these tags."""
    return {to.partition("/")[0] or owner for to in tags.values()} | {owner}


def _explained(explain: Callable[..., mail.MailFacts], arrived: Arrived, name: str) -> dict[str, Any]:
    try:
        return explain(arrived.raw, received_at=arrived.received_at).model_dump(mode="json")
    except Exception as error:
        # One mail must not stop the rest; it is in the archive and becomes a ticket for a person.
        log.warning("Mail archived as %s cannot be read (%s); a person must look.", name, type(error).__name__)
        return mail.unreadable(name, arrived.received_at).model_dump(mode="json")


def headers_of(raw: bytes) -> Message:
    """The mail's headers as they were written; of any bytes."""
    end = END_OF_HEADERS.search(raw)
    return BytesHeaderParser(policy=email.policy.compat32).parsebytes(raw[: end.end()] if end else raw)
