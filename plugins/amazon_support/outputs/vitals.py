"""How the pipeline itself is: how fresh its sources and lists are, what waits to be sent. For monitors and metrics."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from amazon_support.settings import Account, Settings
from amazon_support.warehouse import run_step

# What is pulled once a day may be a day and a half behind, what is pulled every hour three hours: so much may fail
# before a person should look. The rule pulled_lately of the standing checks says the same.
DAILY = ("feedback", "account_health")
DAILY_BEHIND, HOURLY_BEHIND = timedelta(hours=36), timedelta(hours=3)


@dataclass(frozen=True)
class Source:
    """One source, and how far behind it is read: from the end of what was read, to as_of.

    Attributes:
        source: orders, feedback, account_health, mailbox or desk.
        scope: a region, a marketplace (feedback), a mailbox's connection, or a desk.
    """

    account: str
    source: str
    scope: str
    lag: timedelta

    @property
    def is_late(self) -> bool:
        return self.lag > (DAILY_BEHIND if self.source in DAILY else HOURLY_BEHIND)

    def __str__(self) -> str:
        return f"{self.source} of {self.account} ({self.scope})"


@dataclass(frozen=True)
class Vitals:
    """As of an instant (aware UTC).

    Attributes:
        list_age: since the hour whose worklists were written last; None: there never was one.
        waiting: messages that are due and not sent; waiting_age: since the first of them is due; None: none is.
        given_up: messages given up in the last day. held_since: since when all sending is held, if it is.
    """

    as_of: datetime
    sources: tuple[Source, ...]
    list_age: timedelta | None
    waiting: int
    waiting_age: timedelta | None
    given_up: int
    held_since: datetime | None

    def late_sources(self) -> list[Source]:
        """Those that are too far behind, the worst first."""
        return sorted((each for each in self.sources if each.is_late), key=lambda each: each.lag, reverse=True)

    def is_list_late(self, settings: Settings) -> bool:
        """Whether the list of the newest hour should have been there `list_late_after` ago. Without any: no."""
        return self.list_age is not None and self.list_age >= timedelta(hours=1) + settings.policy.list_late_after

    def is_delivery_stuck(self, settings: Settings) -> bool:
        """Whether messages wait longer than `delivery_stuck_after` though nobody holds them."""
        waits = self.waiting_age is not None and self.waiting_age > settings.policy.delivery_stuck_after
        return waits and self.held_since is None


def vitals(connection: Connection, settings: Settings, *, as_of: datetime) -> Vitals:
    """Reads a few small tables and indexes: cheap, however much history there is."""
    wanted = [each for account in settings.enabled_accounts for each in _sources_of(settings, account)]
    found = run_step(connection, "vitals/sources.sql", {"as_of": as_of, "sources": json.dumps(wanted)})
    sources = tuple(Source(row.account, row.source, row.scope, as_of - row.read_until) for row in found)
    row = run_step(connection, "vitals/messages.sql", {"as_of": as_of}).one()
    return Vitals(
        as_of=as_of,
        sources=sources,
        list_age=as_of - row.newest_list if row.newest_list else None,
        waiting=row.waiting,
        waiting_age=as_of - row.waiting_since if row.waiting_since else None,
        given_up=row.given_up,
        held_since=row.held_since,
    )


def _sources_of(settings: Settings, account: Account) -> Iterator[dict[str, str]]:
    for region in ("na", "eu", "fe"):
        marketplaces = settings.marketplace_ids(account, region)
        if marketplaces and account.amazon_connections:
            yield {"account": account.name, "source": "orders", "scope": region}
            yield {"account": account.name, "source": "account_health", "scope": region}
        for each in marketplaces:
            yield {"account": account.name, "source": "feedback", "scope": settings.by_id[each].country}
    for mailbox in account.mailboxes:
        yield {"account": account.name, "source": "mailbox", "scope": mailbox.connection}
    for folder in settings.desk_files.folders:
        if folder.account == account.name:
            yield {"account": account.name, "source": "desk", "scope": folder.desk}
