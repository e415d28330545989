"""Folds the service-level clocks of the tickets of one fold, by the policies in force when each began."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from amazon_support.settings import ServiceLevels, Settings
from amazon_support.settings.service_levels import OpenHours
from amazon_support.tickets import calendars
from amazon_support.tickets.metrics import rules_of
from amazon_support.warehouse import run_step


@dataclass(frozen=True)
class Promises:
    """What the clocks are folded by.

    Attributes:
        levels: policies and calendars. sites: {country, desk} of every marketplace. desk_exceptions: {account,
            country, desk} where an account differs.
    """

    levels: ServiceLevels = field(default_factory=ServiceLevels)
    sites: tuple[dict[str, str], ...] = ()
    desk_exceptions: tuple[dict[str, str], ...] = ()

    @classmethod
    def of(cls, settings: Settings, levels: ServiceLevels | None = None) -> "Promises":
        """By these settings; `levels`: other policies than theirs."""
        return cls(
            levels or settings.service_levels,
            tuple({"country": m.country, "desk": m.desk} for m in settings.marketplaces),
            tuple(
                {"account": account.name, "country": country, "desk": settings.desk(account, country)}
                for account in settings.accounts
                for country in account.marketplaces
            ),
        )


def fold_clocks(connection: Connection, promises: Promises) -> int:
    """Derives every clock of the tickets in batch_ticket anew: after their status periods, in the same transaction.

    Returns: how many cycles.
    """
    rules = rules_of(promises.levels)
    numbers = {label: calendars.calendar_id(connection, label, hours) for label, hours in rules.calendars.items()}
    rows = [{**rule, "calendar_id": numbers.get(rule.get("calendar", ""), 0)} for rule in rules.rules]
    desks = {"sites": promises.sites, "desk_exceptions": promises.desk_exceptions}
    _run(connection, "clock_subjects", filters=rules.filters, **desks)
    _run(connection, "clock_rules", rules=rows)
    for step in ("clock_periods", "clock_exchanges", "analyze_subjects", "clock_measured", "analyze_measured"):
        _run(connection, step)
    for step in ("clock_cycles", "analyze_cycles"):
        _run(connection, step)
    _know_hours(connection, rules.calendars, numbers, run_step(connection, "sla/calendars_needed.sql").all())
    for step in ("clock_pauses", "fold_pauses"):
        _run(connection, step)
    cycles = run_step(connection, "sla/fold_clocks.sql").rowcount
    _run(connection, "drop_clock_batch")
    return cycles


def know_hours_until(
    connection: Connection, promises: Promises, as_of: datetime, ticket: tuple[str, str] | None = None
) -> None:
    """Makes the open hours that clocks need which may still be running then.

    Args:
        ticket: (account, ticket_id) of the only one that is looked at; without: all.
    """
    calendars_used = rules_of(promises.levels).calendars
    if calendars_used:
        numbers = {label: calendars.calendar_id(connection, label, hours) for label, hours in calendars_used.items()}
        account, ticket_id = ticket or (None, None)
        step = "sla/calendars_needed_of_ticket.sql" if ticket else "sla/calendars_needed_as_of.sql"
        asked = {"as_of": as_of, "account": account, "ticket_id": ticket_id}
        needed = run_step(connection, step, asked).all()
        _know_hours(connection, calendars_used, numbers, needed)


def _know_hours(
    connection: Connection, definitions: dict[str, OpenHours], numbers: dict[str, int], needed: Sequence[Any]
) -> None:
    by_number = {numbers[label]: hours for label, hours in definitions.items()}
    for need in needed:
        if need.calendar_id in by_number:
            target = timedelta(seconds=need.target_seconds)
            calendars.grow(
                connection, need.calendar_id, by_number[need.calendar_id], need.first_at, need.last_at, target
            )


def _run(connection: Connection, step: str, **parameters: Any) -> None:
    run_step(connection, f"sla/{step}.sql", {name: json.dumps(value) for name, value in parameters.items()})
