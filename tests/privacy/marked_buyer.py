"""A buyer whose every trace can be told: what sources bring of them, and a search for what is left."""

import base64
import json
from collections.abc import Collection
from datetime import date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from landing import BUYER_KEY, NOON, WINDOW, iso, land_some_orders, let_pass, order
from mail_builders import FOOTER, framed
from mail_builders import mail as letter
from sqlalchemy import Connection, Engine, text

from amazon_support import settings, tickets
from amazon_support.mail.archive import Archive
from amazon_support.outputs import outbox, worklist
from amazon_support.settings import Settings
from amazon_support.sources import mail_landing
from amazon_support.sources.mail_landing import Arrived, Place
from amazon_support.tickets import actions
from amazon_support.warehouse import land, run_step
from amazon_support.warehouse.land import DeskActionRow, FeedbackRow
from amazon_support.warehouse.land.batches import BadLine

SETTINGS = settings.load()
DAY = timedelta(days=1)
ORDER = "302-7777777-7777777"
OTHER_ORDER = "302-8888888-8888888"
TICKET = f"DE:order:{ORDER}"
ALIAS = "zebu9marked@marketplace.amazon.de"
NAME, STREET, WORDS = "Zebulon Markwart", "Markierweg 77", "Quittenmarmelade"
# Each in a form that stays the same wherever it is copied to.
MARKS = ("zebulon", "markwart", "zebu9marked", "markierweg", "quittenmarmelade", "quittenbrot", "quittensaft")
PLACE = Place("main", "imap_default", "INBOX", 1)
PROMISED = NOON + 3 * DAY  # by when the order is to be delivered


def marked_order(order_id: str = ORDER, **changes: Any) -> dict[str, Any]:
    address = {"name": NAME, "addressLine1": STREET, "countryCode": "DE"}
    built = {
        "buyer": {"buyerName": NAME, "buyerEmail": ALIAS},
        "recipient": {"deliveryAddress": address},
        "fulfillment": {
            "fulfillmentStatus": "SHIPPED",
            "fulfilledBy": "MERCHANT",
            "deliverByWindow": {"latestDateTime": iso(PROMISED)},
        },
        "packages": [{"shipTime": iso(NOON - DAY)}],
    }
    return order(order_id, **(built | changes))


def marked_mail(
    words: str = WORDS,
    at: datetime = NOON,
    name: str = "1",
    to: str = "support@shop.example",
    order_id: str = ORDER,
    alias: str = ALIAS,
) -> Arrived:
    """A buyer's message about the order, as our server got it."""
    raw = letter(
        (f"{NAME} - Amazon Marketplace", alias),
        f"Anfrage von Amazon-Kunde {NAME} (Bestellung: {order_id})",
        framed(f"Guten Tag,\n\nwo ist meine {words}?\n\n{NAME}", footer=FOOTER.replace("m=M1", f"m=M{name}")),
        headers=[("Message-ID", f"<{name}@eu-west-1.amazonses.com>"), ("Date", format_datetime(at))],
        to=to,
    )
    return Arrived(int(at.timestamp()) % 100_000, at + timedelta(minutes=1), raw)


def read(engine: Engine, archive: Archive, *arrived: Arrived) -> int:
    """As the mailbox and the mail files are read. Returns how many mails were landed."""
    with engine.connect() as connection:
        kept = mail_landing.without_removed(connection, arrived)
    understood = mail_landing.understand(kept, archive, "main", {})
    with engine.begin() as connection:
        new = mail_landing.without_copies_of_removed(connection, archive, understood)
        mail_landing.land(connection, PLACE, new, buyer_key=BUYER_KEY)
    return len(new)


def publish(engine: Engine, *datasets: str) -> None:
    with engine.begin() as connection:
        let_pass(connection)
        for dataset in datasets or ("orders", "mail", "mail_reread", "feedback", "desk_action"):
            land.PUBLISH[dataset](connection, SETTINGS)
        tickets.fold(connection, SETTINGS.policy)


def land_feedback(connection: Connection, comments: str = f"{WORDS} kaputt", seen_at: datetime = NOON) -> int:
    return land.land_feedback(
        connection,
        account="main",
        marketplace="DE",
        window=WINDOW,
        seen_at=seen_at,
        rows=[FeedbackRow(2, date(2026, 3, 9), 1, comments, f"Liebe/r {NAME}, …", ORDER, ALIAS)],
        bad_lines=[BadLine(3, "rating: not a whole number", f"x\tx\tQuittenbrot\t{ORDER}\t{ALIAS}")],
        heading="heading",
    )


def desk_note() -> DeskActionRow:
    return DeskActionRow(
        2, "row 2", "note", None, None, None, "Ana Lima", NOON, None, ORDER, "DE", None, None,
        text=f"{NAME} will Quittensaft", received={"note": f"{NAME} will Quittensaft", "customer": ALIAS},
    )  # fmt: skip


def everything_about_the_buyer(engine: Engine, archive: Archive, data: Path) -> None:
    """Orders, mail, feedback, a desk's export, notes, worklists as mail and as files, bad lines, left-over reports."""
    with engine.begin() as connection:
        land_some_orders(connection, marked_order(), marked_order(OTHER_ORDER), order())
    publish(engine, "orders")
    read(engine, archive, marked_mail())
    with engine.begin() as connection:
        land_feedback(connection)
    publish(engine)
    with engine.begin() as connection:
        land.land_desk_actions(connection, account="main", desk="bqool", read_at=NOON + DAY, rows=[desk_note()])
    publish(engine)
    at = NOON + timedelta(hours=2)
    with engine.begin() as connection:
        asked = {"account": "main", "ticket_id": TICKET, "as_of": at}
        ticket = dict(run_step(connection, "tickets/show_ticket.sql", asked).mappings().one())
        note = actions.Action("note", "one", "ana", words=f"{NAME} rief an")
        actions.act(connection, SETTINGS, ticket, note, at=at)
        worklist.write_worklists(connection, with_an_agent(), as_of=at)
        assert outbox.queue_worklists(connection, with_an_agent(), as_of=at) > 0
        worklist.write_files(connection, with_an_agent(), data / "worklists", as_of=at)
    (data / "reports").mkdir(parents=True)
    (data / "reports" / "left.tsv").write_text(f"{NAME}\t{ALIAS}")


def with_an_agent() -> Settings:
    agent = settings.Agent(name="Ana Lima", email="ana@shop.example", marketplaces=["DE"])
    return SETTINGS.model_copy(update={"agents": (agent,)})


# ---------- looking for what is left


def traces(engine: Engine, archive: Archive, *folders: Path, marks: Collection[str] = MARKS) -> dict[str, list[str]]:
    """Which marks are where: in any column of any table of the warehouse, any file, any mail of the archive."""
    found = traces_in_database(engine, marks)
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_file():
                content = file.read_bytes().decode("utf-8", "replace")
                _look(found, marks, str(file.relative_to(folder)), file.name, content)
    for name in archive.names():
        _look(found, marks, "archive", archive.get(name).decode("utf-8", "replace"))
    return found


def traces_in_database(engine: Engine, marks: Collection[str] = MARKS) -> dict[str, list[str]]:
    """Which marks are in which columns of any table."""
    found: dict[str, list[str]] = {}
    with engine.connect() as connection:
        for relation in _tables(connection):
            # As JSON every type shows its words; bytes as base64 are shown, too.
            for row in connection.execute(text(f"select to_jsonb(t) from {relation} as t")).scalars():
                for column, value in row.items():
                    words = json.dumps(value, ensure_ascii=False)
                    _look(found, marks, f"{relation}.{column}", words, *_unpacked(value))
    return found


def _tables(connection: Connection) -> list[str]:
    query = (
        "select format('%I.%I', table_schema, table_name) from information_schema.tables "
        "where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')"
    )
    return list(connection.execute(text(query)).scalars())


def _unpacked(value: Any) -> list[str]:
    """Attachments of messages, as their reader sees them."""
    if not isinstance(value, list):
        return []
    packed = [each["base64"] for each in value if isinstance(each, dict) and "base64" in each]
    return [base64.b64decode(each).decode("utf-8", "replace") for each in packed]


def _look(found: dict[str, list[str]], marks: Collection[str], where: str, *texts: str) -> None:
    seen = [mark for mark in marks if any(mark in each.lower() for each in texts)]
    if seen:
        found[where] = sorted({*found.get(where, []), *seen})
