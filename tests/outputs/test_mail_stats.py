"""What came by mail, counted."""

from datetime import timedelta
from typing import Any

from landing import NOON, land_some_mail, let_pass, mail
from sqlalchemy import Connection, text

from amazon_support import settings
from amazon_support.outputs.mail_stats import accounts_without_reply_copies, mail_stats, render
from amazon_support.warehouse import land

DAY = timedelta(days=1)
UNTIL = NOON + DAY


def came(connection: Connection, *mails: Any, account: str = "main") -> None:
    land_some_mail(connection, *mails, account=account)
    let_pass(connection)
    land.publish_mail(connection, settings.load())


def test_kinds_are_counted_by_day_and_mailbox(connection: Connection) -> None:
    came(
        connection,
        mail("1"),
        mail("2", "refund_notice"),
        mail("3", "unknown", signals=["failed:reading"]),
        mail("4", "order_notice", signals=["header:unknown:NEW_THING"]),
        mail("5", at=NOON - DAY),
        mail("too old", at=NOON - 9 * DAY),
    )
    stats = mail_stats(connection, since=NOON - 7 * DAY, until=UNTIL)
    assert [(str(d["day"]), d["mailbox"], sum(d["kinds"].values()), d["unreadable"]) for d in stats.days] == [
        ("2026-03-10", "imap_default", 4, 1),
        ("2026-03-09", "imap_default", 1, 0),
    ]
    assert (stats.unknown_share, stats.unknown_types, stats.failures) == (0.2, {"NEW_THING": 1}, [])


def test_the_table_lines_up_and_says_what_needs_a_person(connection: Connection) -> None:
    came(connection, mail("1"), mail("2", "refund_notice"), mail("3", "unknown"))
    connection.execute(
        text(
            "insert into ops.mail_failure (account, mailbox, folder, uid_validity, uid, reason, failed_at) "
            "values ('main', 'imap_default', 'INBOX', 1, 7, 'not given', '2026-03-01T00:00Z')"
        )
    )
    assert render(mail_stats(connection, since=NOON - DAY, until=UNTIL)).splitlines() == [
        "day         account  mailbox       mails  buyer message  reply copy  notices  unknown  imitation  unreadable",
        "2026-03-10  main     imap_default      3              1           0        1        1          0           0",
        "",
        "Unknown            33.3% of all mail",
        "Unknown types      none",
        "Not given          1 in imap_default/INBOX since 2026-03-01",
    ]


def test_without_mail_it_says_so(connection: Connection) -> None:
    assert render(mail_stats(connection, since=NOON - DAY, until=UNTIL)) == "No mail."


def test_an_account_whose_replies_are_never_copied_is_named(connection: Connection) -> None:
    came(connection, *(mail(f"question {n}") for n in range(5)))
    came(connection, *(mail(f"other {n}") for n in range(5)), mail("copy", "reply_copy"), account="fine")
    came(connection, *(mail(f"few {n}") for n in range(4)), account="quiet")
    assert accounts_without_reply_copies(connection, until=UNTIL) == {"main": 5}
    assert accounts_without_reply_copies(connection, until=UNTIL + 15 * DAY) == {}
