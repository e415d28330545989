"""What came by mail: kinds by day and mailbox, what nobody recognised, what could not be had."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from amazon_support.warehouse import run_step

REPLIES_WITHIN = timedelta(days=14)
ENOUGH_QUESTIONS = 5  # of which one at least would have been answered
# Columns of the table; whatever is none of these is a notice.
SHOWN = ("buyer_message", "reply_copy", "notices", "unknown", "imitation", "unreadable")
PEOPLES = frozenset({"buyer_message", "reply_copy", "unknown", "imitation"})


@dataclass(frozen=True)
class MailStats:
    """Mail of a span.

    Attributes:
        days: one entry a day (UTC), account and mailbox, newest first, with `kinds`: mails by kind, and `unreadable`.
        unknown_share: of all mails, 0 to 1; None without mail.
        unknown_types: values of X-Space-Notification-Type that mail_rules.yaml lacks, with their number.
        failures: folders with mail that the server does not give, how many and since when.
    """

    days: list[dict[str, Any]]
    unknown_share: float | None
    unknown_types: dict[str, int]
    failures: list[dict[str, Any]]


def mail_stats(connection: Connection, *, since: datetime, until: datetime) -> MailStats:
    """Counts the mail received in [since, until), aware UTC."""
    span = {"since": since, "until": until}
    kinds: dict[tuple[date, str, str], Counter[str]] = defaultdict(Counter)
    unreadable: Counter[tuple[date, str, str]] = Counter()
    for row in run_step(connection, "marts/mail_kinds.sql", span):
        place = (row.day, row.account, row.mailbox)
        kinds[place][row.kind] = row.mails
        unreadable[place] += row.unreadable
    total: Counter[str] = sum(kinds.values(), Counter())
    return MailStats(
        days=[
            {"day": day, "account": account, "mailbox": mailbox, "kinds": dict(counts)}
            | {"unreadable": unreadable[day, account, mailbox]}
            for (day, account, mailbox), counts in kinds.items()
        ],
        unknown_share=total["unknown"] / total.total() if total else None,
        unknown_types={
            row.notification_type: row.mails for row in run_step(connection, "marts/mail_unknown_types.sql", span)
        },
        failures=[dict(row) for row in run_step(connection, "marts/mail_failures.sql").mappings()],
    )


def accounts_without_reply_copies(connection: Connection, *, until: datetime) -> dict[str, int]:
    """Accounts to which buyers wrote in the last two weeks and of whose replies no copy came: buyers' messages by
    account. Without the copies no reply is visible and every ticket seems late.

    Args:
        until: aware UTC.
    """
    parameters = {"since": until - REPLIES_WITHIN, "until": until, "enough": ENOUGH_QUESTIONS}
    rows = run_step(connection, "marts/silent_reply_copies.sql", parameters)
    return {row.account: row.questions for row in rows}


def render(stats: MailStats) -> str:
    """A lined-up table, then what needs a person."""
    if not stats.days:
        return "No mail."
    headings = ["day", "account", "mailbox", "mails", *(name.replace("_", " ") for name in SHOWN)]
    rows = [headings, *(_row(entry) for entry in stats.days)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(headings))]
    lines = [
        "  ".join(
            cell.ljust(width) if column < 3 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    lines += ["", f"Unknown            {stats.unknown_share or 0:.1%} of all mail"]
    types = ", ".join(f"{name} ({count})" for name, count in stats.unknown_types.items())
    lines.append(f"Unknown types      {types or 'none'}")
    failures = ", ".join(
        f"{each['mails']} in {each['mailbox']}/{each['folder']} since {each['since']:%Y-%m-%d}"
        for each in stats.failures
    )
    lines.append(f"Not given          {failures or 'none'}")
    return "\n".join(lines)


def _row(entry: dict[str, Any]) -> list[str]:
    kinds: dict[str, int] = entry["kinds"]
    counts = {name: kinds.get(name, 0) for name in PEOPLES}
    counts |= {"notices": sum(kinds.values()) - sum(counts.values()), "unreadable": entry["unreadable"]}
    place = [str(entry["day"]), entry["account"], entry["mailbox"]]
    return [*place, *(str(count) for count in (sum(kinds.values()), *(counts[name] for name in SHOWN)))]
