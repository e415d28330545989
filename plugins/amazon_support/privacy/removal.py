"""Removes personal data that is due, in batches with a commit each; what was removed is on record and stays out."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from amazon_support.mail.archive import Archive
from amazon_support.privacy import files
from amazon_support.settings.retention import Retention
from amazon_support.warehouse import run_step
from amazon_support.warehouse.land.mail import buyer_ref, lock_publishing

Progress = Callable[[str], None]

REMOVAL_LOCK = 4_711_009  # one removal at a time: the second waits, then finds nothing to do
TEMPORARY = "drop table if exists privacy_held, privacy_due_order, privacy_due_ticket, privacy_due_mail"
# Which tables lose many rows; what was in them is overwritten the sooner.
SHRUNK = (
    "pii.order_contact",
    "pii.order_received",
    "pii.mail",
    "pii.mail_received",
    "pii.outbox",
    "pii.feedback_received",
)


class PrivacyError(Exception):
    """What was asked of personal data cannot be done; the message says why and what to do."""


@dataclass(frozen=True)
class Due:
    """How many orders, tickets and mails have personal data that is due."""

    orders: int
    tickets: int
    mails: int


@dataclass(frozen=True)
class Removed:
    """What a removal did: counts, fit for XCom.

    Attributes:
        orders, tickets, mails: of which personal data was removed; a mail's people and words.
        files: mails that left the archive. received: rows as sources brought them. set_aside: lines in quarantine.
        messages: to staff, emptied. access: entries of the access log. worklists, reports: files.
    """

    run_id: int
    orders: int = 0
    tickets: int = 0
    mails: int = 0
    files: int = 0
    received: int = 0
    set_aside: int = 0
    messages: int = 0
    access: int = 0
    worklists: int = 0
    reports: int = 0


def remove(
    engine: Engine,
    retention: Retention,
    archive: Archive,
    data_folder: Path,
    *,
    as_of: datetime,
    now: datetime,
    buyer_key: str,
    progress: Progress = lambda _: None,
) -> Removed:
    """Removes what is due as of an instant. May be killed at any moment and begun again, and run twice at once.

    An instant of the past removes only what is due today as well: a ticket that is in work at any later time counts
    as in work.

    Args:
        archive: of raw mail. data_folder: with the folders worklists and reports.
        as_of, now: aware UTC. buyer_key: secret of the keyed hash that stays of a buyer.
        progress: is told what has been done, without personal data.

    Raises: PrivacyError if as_of lies ahead. ArchiveError if files cannot be taken out; the rest is done by then, and
        the next removal goes on with the files.
    """
    if as_of > now:
        raise PrivacyError(
            f"Nothing is due as of {as_of:%Y-%m-%d %H:%M} UTC: that lies ahead. Give a time of the past."
        )
    with session(engine) as connection:
        with connection.begin():
            run_id = begin(connection, retention, "retention", as_of=as_of)
            list_due(connection, retention, as_of=as_of)
        counts = remove_listed(connection, run_id, retention.removed_together, buyer_key, progress)
        counts |= _remove_aged(connection, run_id, retention, as_of)
        _vacuum(engine)
        counts["files"] = files.remove_archived(connection, archive)
        counts["files"] += files.remove_strays(connection, archive, as_of=as_of, kept=retention.messages_kept)
        counts["worklists"] = files.remove_worklists(
            data_folder / "worklists", before=as_of - retention.worklist_files_kept
        )
        counts["reports"] = files.remove_reports(data_folder / "reports", before=as_of - retention.report_files_kept)
        with connection.begin():
            for kind, name in (("worklist_file", "worklists"), ("report_file", "reports")):
                note(connection, run_id, kind, counts[name])
            finish(connection, run_id)
    return Removed(run_id, **counts)


def due(engine: Engine, retention: Retention, *, as_of: datetime) -> Due:
    """What a removal as of that instant (aware UTC) would remove of orders, tickets and mails; changes nothing."""
    with session(engine) as connection, connection.begin():
        list_due(connection, retention, as_of=as_of)
        return counted(connection)


# ---------- steps that erasure shares


@contextmanager
def session(engine: Engine) -> Iterator[Connection]:
    """A connection of its own, on which no other removal runs, and whose temporary tables go with it."""
    with engine.connect() as connection:
        connection.detach()
        with connection.begin():
            # A batch is a small part of big tables. As on spinning disks PostgreSQL would read them from end to end for
            # each: a million orders would cost the square of what ten thousand do.
            connection.exec_driver_sql("set random_page_cost = 1.1")
            connection.exec_driver_sql(f"select pg_advisory_lock({REMOVAL_LOCK})")
            connection.exec_driver_sql(TEMPORARY)
        yield connection


def list_due(connection: Connection, retention: Retention, *, as_of: datetime) -> None:
    """Writes temporary tables of what is due, which remove_listed takes."""
    parameters = {"as_of": as_of, **_spans(retention)}
    for step in ("held", "due_orders", "due_tickets", "due_mail"):
        run_step(connection, f"privacy/{step}.sql", parameters)
    for table in ("order", "ticket", "mail"):
        connection.exec_driver_sql(f"create index on privacy_due_{table} (number)")
        connection.exec_driver_sql(f"analyze privacy_due_{table}")


def counted(connection: Connection) -> Due:
    """How much is in the temporary tables."""
    return Due(**run_step(connection, "privacy/due_counts.sql").one()._mapping)


def begin(
    connection: Connection, retention: Retention, rule: str, *, as_of: datetime, because: str | None = None
) -> int:
    """Opens the record of a removal. Returns its number."""
    parameters = {**_spans(retention), "rule": rule, "as_of": as_of, "because": because, "started_at": wall_clock()}
    run_id: int = run_step(connection, "privacy/begin.sql", parameters).scalar_one()
    return run_id


def finish(connection: Connection, run_id: int) -> None:
    """Closes the record of a removal."""
    run_step(connection, "privacy/finish.sql", {"run_id": run_id, "finished_at": wall_clock()})


def note(connection: Connection, run_id: int, kind: str, entries: int) -> None:
    """Counts in the record what belongs to no single order, ticket or mail."""
    if entries:
        parameters = {"run_id": run_id, "kind": kind, "entries": entries, "removed_at": wall_clock()}
        run_step(connection, "privacy/note.sql", parameters)


def remove_listed(
    connection: Connection, run_id: int, together: int, buyer_key: str, progress: Progress
) -> dict[str, int]:
    """Removes what the temporary tables list, batch by batch, each in a transaction with its record."""
    listed = counted(connection)
    connection.rollback()
    counts = vars(listed)
    steps: Mapping[str, Callable[[Connection, dict[str, Any]], None]] = {
        "orders": lambda connection, span: _remove_orders(connection, span, buyer_key),
        # Tickets go before their mail, by which they are found again if this is broken off.
        "tickets": _remove_tickets,
        "mails": _remove_mail,
    }
    for what, remove_some in steps.items():
        for after in range(0, counts[what], together):
            until = min(after + together, counts[what])
            with connection.begin():
                remove_some(connection, {"run_id": run_id, "after": after, "until": until, "removed_at": wall_clock()})
            progress(f"{what}: {until:,} of {counts[what]:,}")
    return dict(counts)


def wall_clock() -> datetime:
    """Now, for the record alone: never what decides."""
    return datetime.now(UTC)


def _remove_orders(connection: Connection, span: dict[str, Any], buyer_key: str) -> None:
    named = run_step(connection, "privacy/aliases.sql", span).all()
    hashes = {
        "accounts": [row.account for row in named],
        "order_ids": [row.order_id for row in named],
        "buyer_refs": [buyer_ref(row.buyer_alias, buyer_key) for row in named],
    }
    run_step(connection, "privacy/remove_orders.sql", span | hashes)


def _remove_mail(connection: Connection, span: dict[str, Any]) -> None:
    lock_publishing(connection)  # links look at words: they must not go meanwhile
    run_step(connection, "privacy/remove_mail.sql", span)


def _remove_tickets(connection: Connection, span: dict[str, Any]) -> None:
    run_step(connection, "privacy/remove_tickets.sql", span)


def _remove_aged(connection: Connection, run_id: int, retention: Retention, as_of: datetime) -> dict[str, int]:
    """What goes by its own age, whatever order or ticket it belongs to."""
    at = {"as_of": as_of, "removed_at": wall_clock(), **_spans(retention)}
    messages = {
        "settled_before": as_of - retention.sent_messages_kept,
        "written_before": as_of - retention.messages_kept,
    }
    together = {"together": retention.removed_together}
    steps: dict[str, tuple[str, dict[str, Any]]] = {
        "received": ("remove_received", {"before": as_of - retention.messages_kept, **together}),
        "set_aside": ("remove_set_aside", {}),
        "messages": ("empty_messages", messages),
        "access": ("forget_views", {"before": as_of - retention.access_log_kept, **together}),
    }
    counts = dict.fromkeys(steps, 0)
    for what, (step, parameters) in steps.items():
        more = True
        while more:
            with connection.begin():
                entries = run_step(connection, f"privacy/{step}.sql", at | parameters).scalar_one()
                note(connection, run_id, what.removesuffix("s") if what == "messages" else what, entries)
            counts[what] += entries
            more = "together" in parameters and entries > 0
    return counts


def _spans(retention: Retention) -> dict[str, Any]:
    return {
        name: getattr(retention, name)
        for name in ("orders_kept", "delivery_within", "shipping_within", "messages_kept")
    }


def _vacuum(engine: Engine) -> None:
    """Lets the space be written over. Where the role may not, PostgreSQL only warns, and autovacuum does it."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"vacuum (skip_locked) {', '.join(SHRUNK)}")
