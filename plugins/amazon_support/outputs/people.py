"""Who is told of what: agents, their leads, the manager; and when each may be told."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from amazon_support.outputs.reader import ENGLISH, Reader
from amazon_support.settings import Agent, Settings
from amazon_support.tickets import calendars
from amazon_support.tickets.assign import is_on_duty

DAY = timedelta(days=1)


def ladder(settings: Settings, as_of: datetime) -> list[dict[str, str | int]]:
    """One row an agent and person who is told of the agent's late work: rung 0 the agent, 1 the leads of the agent's
    teams, 2 the manager. Only who is on duty then (aware UTC).

    A rung on which nobody is named is the next one above; where there is none above, the one below.
    """
    on_duty = {agent.name: agent for agent in settings.agents if is_on_duty(agent, settings, as_of)}
    return [
        {"agent": agent.name, "rung": rung, "recipient": on_duty[name].recipient}
        for agent in settings.agents
        for rung, names in enumerate(_rungs(agent, settings))
        for name in sorted(names & on_duty.keys())
    ]


def _rungs(agent: Agent, settings: Settings) -> tuple[set[str], set[str], set[str]]:
    assignment, own = settings.assignment, {agent.name}
    managers = {assignment.manager} if assignment.manager else set()
    leads = {team.lead for team in assignment.teams if team.lead and agent.name in team.agents}
    return own, leads or managers or own, managers or leads or own


def reader_of(settings: Settings, recipient: str) -> Reader:
    """In which words and time zone a recipient is told: those of the first agent with it, English for others."""
    agents = (agent for agent in settings.agents if agent.recipient == recipient)
    return next((Reader(agent.language, agent.timezone) for agent in agents), ENGLISH)


def leads(settings: Settings, as_of: datetime) -> list[Agent]:
    """Who is told of trouble, as far as on duty then (aware UTC): all leads; else the manager; else all agents."""
    assignment = settings.assignment
    named = {team.lead for team in assignment.teams if team.lead} or {assignment.manager} - {None}
    return [
        agent for agent in settings.agents if (not named or agent.name in named) and is_on_duty(agent, settings, as_of)
    ]


def health_watchers(settings: Settings, as_of: datetime) -> Iterator[dict[str, object]]:
    """Who is told of account health, and of which marketplaces (none: of all): whoever is told of trouble."""
    for agent in leads(settings, as_of):
        yield {"email": agent.recipient, "marketplaces": agent.marketplaces}


def quiet_until(agent: Agent, settings: Settings, moment: datetime) -> datetime:
    """When a chat or text message of that instant (aware UTC) may go out: at once, or when the quiet hours end."""
    quiet = agent.quiet_at(moment, settings.service_levels)
    if quiet is None:
        return moment
    today = moment.astimezone(UTC).date()
    until = moment
    for opens, closes in calendars.openings(quiet, today - DAY, today + 8 * DAY):
        if opens <= until < closes:
            until = closes
    return until
