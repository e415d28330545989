"""Gives new tickets to teams and agents by the rules of assignment.yaml. What was decided is an event, for ever."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from amazon_support.settings import Agent, Assignment, Settings
from amazon_support.tickets import calendars
from amazon_support.warehouse import run_step

Row = Mapping[Any, Any]
AT_WORK = ("new", "open")  # statuses in which a ticket is a load


@dataclass(frozen=True)
class AssignCounts:
    """What one step did.

    assigned: events written, one a ticket and agent. waiting: tickets that stay with a team, because nobody of it is
    on duty.
    """

    assigned: int = 0
    waiting: int = 0


def assign(connection: Connection, settings: Settings, *, as_of: datetime) -> AssignCounts:
    """Sorts new tickets by views and rules, and gives each that a team has to somebody of it who is on duty.

    In the caller's transaction, after a fold; the tickets in ops.ticket_touched are then to be folded again. Two at
    once wait for each other, and a repeat assigns nothing twice.

    Args:
        as_of: aware UTC, of the newest state: the instant of the assignments.
    """
    if settings.assignment == Assignment():
        return AssignCounts()
    run_step(connection, "tickets/lock_touched.sql")
    at = {"as_of": as_of}
    routes = run_step(connection, "tickets/assign_sort.sql", {**at, **_sql_settings(settings)}).mappings()
    assigned = _record(connection, as_of, [_named(route, agent) for route in routes for agent in route["agents"]])
    loads = Counter({row.agent: row.tickets for row in run_step(connection, "tickets/assign_load.sql", at)})
    waiting = run_step(connection, "tickets/assign_waiting.sql", at).mappings().all()
    on_duty = [agent for agent in settings.agents if is_on_duty(agent, settings, as_of)]
    settled = list(share_out(waiting, settings.assignment, on_duty, loads))
    assigned += _record(connection, as_of, [_picked(row, agent) for row, agent in settled if agent])
    keys = [{name: row[name] for name in ("account", "ticket_id", "team")} for row, _ in settled]
    run_step(connection, "tickets/assign_settle.sql", {**at, "settled": json.dumps(keys)})
    return AssignCounts(assigned, len(waiting) - len(settled))


def share_out(
    waiting: Iterable[Row], assignment: Assignment, on_duty: Iterable[Agent], loads: Counter[str]
) -> Iterator[tuple[Row, Agent | None]]:
    """Each ticket that has somebody of its team now, with who is to get it (None: somebody had it before).

    One after the other, because each makes somebody's load larger.

    Args:
        waiting: rows of assign_waiting.sql, in the order in which they are served.
        loads: new and open tickets by agent; grows.
    """
    agents = list(on_duty)
    holders: dict[tuple[str, str], set[str]] = {}
    for row in waiting:
        members = assignment.members(row["team"])
        having = holders.setdefault((row["account"], row["ticket_id"]), set(row["agents"]))
        if having & members:
            yield row, None
        elif chosen := _least_loaded([agent for agent in agents if agent.name in members], row["language"], loads):
            having.add(chosen.name)
            loads[chosen.name] += row["status"] in AT_WORK
            yield row, chosen


def _least_loaded(agents: list[Agent], language: str | None, loads: Counter[str]) -> Agent | None:
    """Among those who answer in the language, or among all where nobody does; of equal loads the first by name."""
    speakers = [agent for agent in agents if not agent.languages or language in agent.languages]
    return min(speakers or agents, key=lambda agent: (loads[agent.name], agent.name), default=None)


def is_on_duty(agent: Agent, settings: Settings, moment: datetime) -> bool:
    """Whether the agent works at that instant (aware UTC): inside the working hours, and not away that day."""
    hours = agent.hours_at(moment, settings.service_levels)
    if agent.is_away(moment, hours):
        return False
    if hours is None:
        return True
    today = moment.astimezone(UTC).date()
    day = timedelta(days=1)  # where the agent is it may be the day before, or after
    return any(opens <= moment < closes for opens, closes in calendars.openings(hours, today - day, today + 2 * day))


# ---------- rows for SQL


def _named(route: Row, agent: str) -> dict[str, Any]:
    return _event(route, f"agent {agent}", agent, team=None)


def _picked(row: Row, agent: Agent) -> dict[str, Any]:
    # Whom the team chose is no part of the identity: the step chooses once.
    return _event(row, f"team {row['team']}", agent.name, team=row["team"])


def _event(row: Row, what: str, agent: str, team: str | None) -> dict[str, Any]:
    return {
        "account": row["account"],
        "ticket_key": row["ticket_key"],
        "marketplace": row["marketplace"],
        "source_id": f"{row['ticket_id']} {what}",
        "rule": row["rule"],
        "team": team,
        "agent": agent,
    }


def _record(connection: Connection, as_of: datetime, assignments: list[dict[str, Any]]) -> int:
    parameters = {"as_of": as_of, "assignments": json.dumps(assignments)}
    recorded: int = run_step(connection, "tickets/assign_record.sql", parameters).scalar_one()
    return recorded


def _sql_settings(settings: Settings) -> dict[str, str]:
    teams = {team.name for team in settings.assignment.teams}
    views = [{"filter": f"view {view.name}", "view": view.name, **view.row()} for view in settings.assignment.views]
    own = [{"filter": f"rule {r.name}", **r.tickets.row()} for r in settings.assignment.rules if r.tickets]
    rules = [
        {
            "name": rule.name,
            "filter": f"view {rule.view}" if rule.view else f"rule {rule.name}",
            "team": rule.team,
            "agents": rule.agents,
        }
        for rule in settings.assignment.rules
    ]
    sites = [{"country": m.country, "desk": m.desk, "language": m.language} for m in settings.marketplaces]
    special_sites = [
        {
            "account": account.name,
            "country": country,
            "desk": settings.desk(account, country),
            "team": special.team if special.team in teams else None,
        }
        for account in settings.accounts
        for country, special in account.marketplaces.items()
    ]
    parameters = {"filters": [*views, *own], "rules": rules, "sites": sites, "special_sites": special_sites}
    return {name: json.dumps(value) for name, value in parameters.items()}
