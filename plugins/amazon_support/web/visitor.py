"""Who is looking: the user of Airflow, and what access.yaml lets that user see and do."""

from dataclasses import dataclass
from typing import Annotated

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import Depends, HTTPException

from amazon_support.settings import Settings
from amazon_support.settings.access import Role
from amazon_support.web.state import SettingsDep


@dataclass(frozen=True)
class Visitor:
    """A user of Airflow on the support pages.

    Attributes:
        agent: name in agents.yaml. marketplaces: whose tickets the visitor sees beside those assigned to one of `team`;
            None: all. team: the agent, and who shares its work.
    """

    name: str
    role: Role
    agent: str | None
    marketplaces: tuple[str, ...] | None
    team: frozenset[str] = frozenset()

    @property
    def sees_personal_data(self) -> bool:
        return self.role != "viewer"

    @property
    def may_act(self) -> bool:
        return self.role != "viewer"

    def sees(self, marketplace: str | None) -> bool:
        """Whether tickets of that marketplace are shown, whoever has them."""
        return self.marketplaces is None or marketplace in self.marketplaces

    @property
    def sees_all(self) -> bool:
        return self.marketplaces is None

    @property
    def scope(self) -> dict[str, list[str] | None]:
        """Parameters of queries that give only what the visitor may see."""
        return {
            "marketplaces": None if self.marketplaces is None else list(self.marketplaces),
            "team": sorted(self.team),
        }


async def visitor(user: GetUserDep, current: SettingsDep) -> Visitor:
    """The signed-in user as access.yaml knows it.

    Raises: HTTPException 401 where nobody is signed in, 403 where the user has no access.
    """
    name = user.get_name()
    known = current.access.of(name)
    if known is None:
        raise HTTPException(403, f"{name} has no access to the support pages. A lead can add it to access.yaml.")
    return Visitor(
        name, known.role, known.agent, _marketplaces(current, known.role, known.agent), _team(current, known.agent)
    )


def _marketplaces(current: Settings, role: Role, agent: str | None) -> tuple[str, ...] | None:
    if role != "agent":
        return None
    named = next((each.marketplaces for each in current.agents if each.name == agent), ())
    return named or None  # an agent without marketplaces has all of them


def _team(current: Settings, agent: str | None) -> frozenset[str]:
    if agent is None:
        return frozenset()
    teams = (team.agents for team in current.assignment.teams if agent in team.agents)
    return frozenset((agent, *(name for team in teams for name in team)))


VisitorDep = Annotated[Visitor, Depends(visitor)]
