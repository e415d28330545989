"""The shape of include/settings/*.yaml. Unknown or wrong keys are errors, never ignored."""

from datetime import timedelta
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Region = Literal["na", "eu", "fe"]
Desk = Literal["bqool", "seller_central"]


def _duration(value: object) -> object:
    """'90m', '4h', '7d' -> timedelta; anything else is left to pydantic."""
    units = {"m": "minutes", "h": "hours", "d": "days"}
    if isinstance(value, str) and value[-1:] in units and value[:-1].isdigit():
        return timedelta(**{units[value[-1]]: int(value[:-1])})
    if isinstance(value, str):
        raise ValueError("expected a duration such as 90m, 4h or 7d")
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Marketplace(_Model):
    """One Amazon site."""

    country: str = Field(pattern=r"^[A-Z]{2}$", description="our short name of the site; UK, not GB")
    marketplace_id: str = Field(pattern=r"^[A-Z0-9]{10,16}$")
    region: Region
    domain: str = Field(pattern=r"^amazon\.[a-z.]+$")
    language: str
    timezone: str
    desk: Desk = "seller_central"

    @property
    def seller_central(self) -> str:
        """Host of the marketplace's Seller Central."""
        return f"sellercentral.{self.domain}"


class Mailbox(_Model):
    """One support mailbox: an Airflow connection of type imap, and the folders to read."""

    connection: str
    folders: tuple[str, ...] = ("INBOX",)


class Account(_Model):
    """One seller account: its connections to Amazon (one a region) and its mailboxes."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    amazon_connections: tuple[str, ...] = ("amazon_sp_api_default",)
    mailboxes: tuple[Mailbox, ...] = (Mailbox(connection="imap_default"),)
    desks: dict[str, Desk] = Field(default_factory=dict, description="exceptions: marketplace -> desk")
    disabled_marketplaces: tuple[str, ...] = ()


class Agent(_Model):
    """A person who answers buyers. Without marketplaces: all of them."""

    name: str
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    marketplaces: tuple[str, ...] = ()


class Policy(_Model):
    """Service levels and automatic transitions (PRODUCT rules; Amazon's own 24 hours is the default)."""

    reply_within: Duration = timedelta(hours=24)
    warn_before: tuple[Duration, ...] = (timedelta(hours=4), timedelta(hours=1))
    solve_after_silence: Duration = timedelta(days=7)
    close_after_solved: Duration = timedelta(days=28)
    decide_mail_within: Duration = timedelta(days=2)
    first_import: Duration = timedelta(days=60)


class Settings(_Model):
    """Everything in include/settings but the mail rules, which belong to the mail package."""

    marketplaces: tuple[Marketplace, ...]
    accounts: tuple[Account, ...]
    agents: tuple[Agent, ...]
    policy: Policy = Policy()

    @model_validator(mode="after")
    def _known_marketplaces(self) -> "Settings":
        known = {marketplace.country for marketplace in self.marketplaces}
        used = [(f"agents.yaml: agent {agent.name}", agent.marketplaces) for agent in self.agents]
        used += [(f"accounts.yaml: account {a.name}", (*a.desks, *a.disabled_marketplaces)) for a in self.accounts]
        for who, codes in used:
            if unknown := sorted(set(codes) - known):
                raise ValueError(f"{who}: unknown marketplace {', '.join(unknown)}; known: {', '.join(sorted(known))}")
        return self

    @model_validator(mode="after")
    def _names_once(self) -> "Settings":
        for what, names in (
            ("marketplaces.yaml: marketplace", [m.country for m in self.marketplaces]),
            ("accounts.yaml: account", [a.name for a in self.accounts]),
            ("agents.yaml: agent", [a.name for a in self.agents]),
        ):
            if doubled := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{what} named twice: {', '.join(doubled)}")
        return self

    @cached_property
    def by_country(self) -> dict[str, Marketplace]:
        return {marketplace.country: marketplace for marketplace in self.marketplaces}

    @cached_property
    def by_id(self) -> dict[str, Marketplace]:
        return {marketplace.marketplace_id: marketplace for marketplace in self.marketplaces}

    def account(self, name: str) -> Account:
        """The account of that name.

        Raises: KeyError naming the accounts there are.
        """
        for account in self.accounts:
            if account.name == name:
                return account
        raise KeyError(f"no account {name!r} in accounts.yaml; there are: {[a.name for a in self.accounts]}")

    def marketplace_ids(self, account: Account, region: str) -> list[str]:
        """Ids of the account's enabled marketplaces in the region."""
        return [
            m.marketplace_id
            for m in self.marketplaces
            if m.region == region and m.country not in account.disabled_marketplaces
        ]
