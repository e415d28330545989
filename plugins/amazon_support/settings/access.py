"""The shape of access.yaml: who may see and do what on the support pages."""

from typing import Literal

from pydantic import Field, model_validator

from amazon_support.settings.base import StrictModel

Role = Literal["viewer", "agent", "lead"]


class User(StrictModel):
    """What one user of Airflow is on the support pages.

    Attributes:
        agent: name in agents.yaml; an agent sees the tickets of that agent's marketplaces and those assigned to it.
    """

    role: Role
    agent: str | None = None

    @model_validator(mode="after")
    def _an_agent_is_somebody(self) -> "User":
        if self.role == "agent" and not self.agent:
            raise ValueError("expected `agent:`, the name in agents.yaml whose tickets these are")
        return self


class Access(StrictModel):
    """Users of Airflow by their user name; `others`: every other user who is signed in, null for no access."""

    users: dict[str, User] = Field(default_factory=dict)
    others: Literal["viewer"] | None = None

    def of(self, name: str) -> User | None:
        """What the user of that name is; None: has no access."""
        return self.users.get(name) or (User(role=self.others) if self.others else None)
