"""The shape of include/settings/*.yaml. Unknown or wrong keys are errors, never ignored."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from amazon_support.settings import assignment as assignments
from amazon_support.settings.access import Access
from amazon_support.settings.assignment import EMAIL, Agent, Assignment
from amazon_support.settings.base import Desk, Duration, Location, Problem, StrictModel, problem
from amazon_support.settings.desk_files import DeskFiles
from amazon_support.settings.retention import Retention
from amazon_support.settings.service_levels import ServiceLevels

Region = Literal["na", "eu", "fe"]
State = Literal["active", "disabled", "deleted"]


class Marketplace(StrictModel):
    """One Amazon site."""

    country: str = Field(pattern=r"^[A-Z]{2}$", description="our short name of the site; UK, not GB")
    marketplace_id: str = Field(pattern=r"^[A-Z0-9]{10,16}$")
    region: Region
    domain: str = Field(pattern=r"^amazon\.[a-z.]+$")
    language: str
    timezone: str
    prices_include_tax: bool = True
    desk: Desk = "seller_central"

    @property
    def seller_central(self) -> str:
        """Host of the marketplace's Seller Central."""
        return f"sellercentral.{self.domain}"


class Mailbox(StrictModel):
    """One support mailbox: an Airflow connection of type imap, and what to do with its mail.

    Attributes:
        folders: by name; "\\\\Junk" is the spam folder, whatever its name.
        tags: what is delivered to support+TAG@… belongs to this "account", "account/COUNTRY" or "/COUNTRY".
        mark: kind of mail -> "flag" or "move:<folder>". Without it nothing in the mailbox is ever changed.
    """

    connection: str
    folders: tuple[str, ...] = ("INBOX",)
    tags: dict[str, Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]*(/[A-Z]{2})?|/[A-Z]{2})$")]] = Field(
        default_factory=dict
    )
    mark: dict[str, Annotated[str, Field(pattern=r"^(flag|move:.+)$")]] = Field(default_factory=dict)

    @field_validator("tags")
    @classmethod
    def _case_does_not_count(cls, tags: dict[str, str]) -> dict[str, str]:
        return {tag.lower(): to for tag, to in tags.items()}

    @field_validator("mark")
    @classmethod
    def _known_kinds(cls, mark: dict[str, str]) -> dict[str, str]:
        from amazon_support.mail.facts import Kind  # the mail package reads settings itself

        if unknown := sorted(set(mark) - set(get_args(Kind))):
            raise ValueError(f"no kind of mail: {', '.join(unknown)}; there are: {', '.join(get_args(Kind))}")
        return mark


class AccountMarketplace(StrictModel):
    """What is special about one of an account's marketplaces.

    Attributes:
        state: nothing new is pulled for a disabled or deleted one, its history stays. A deleted one is not offered
            in selections either.
        seller_name: which of our shops the buyer wrote to. desk: where it differs from marketplaces.yaml.
        mailbox: address to which this marketplace's mail comes. ticket_category, team: given to its tickets.
    """

    state: State = "active"
    seller_name: str | None = Field(default=None, min_length=1)
    desk: Desk | None = None
    mailbox: str | None = Field(default=None, pattern=EMAIL)
    ticket_category: str | None = Field(default=None, min_length=1)
    team: str | None = Field(default=None, min_length=1)


def _only_a_state(value: object) -> object:
    """`MX: disabled` is short for `MX: {state: disabled}`."""
    if isinstance(value, str):
        return {"state": value}
    if isinstance(value, dict | AccountMarketplace):
        return value
    raise ValueError("expected active, disabled or deleted, or fields such as {desk: bqool, seller_name: …}")


class Account(StrictModel):
    """One seller account: its connections to Amazon (one a region), its mailboxes, its marketplaces.

    `regions: [na, eu]` in the file is short for the connections amazon_sp_api_<name>_na, amazon_sp_api_<name>_eu and
    the mailbox imap_<name>.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    enabled: bool = True
    amazon_connections: tuple[str, ...] = ("amazon_sp_api_default",)
    mailboxes: tuple[Mailbox, ...] = (Mailbox(connection="imap_default"),)
    marketplaces: dict[str, Annotated[AccountMarketplace, BeforeValidator(_only_a_state)]] = Field(
        default_factory=dict, description="country -> what is special there; without an entry it is active"
    )

    @model_validator(mode="before")
    @classmethod
    def _named_by_regions(cls, fields: Any) -> Any:
        if not isinstance(fields, dict) or "regions" not in fields:
            return fields
        if "amazon_connections" in fields:
            raise ValueError("expected either regions or amazon_connections, not both")
        given = {key: value for key, value in fields.items() if key != "regions"}
        regions, name = _Regions(regions=fields["regions"]).regions, fields.get("name")
        short = {
            "amazon_connections": [f"amazon_sp_api_{name}_{region}" for region in regions],
            "mailboxes": [{"connection": f"imap_{name}"}],
        }
        return {**short, **given}


class _Regions(StrictModel):
    regions: tuple[Region, ...] = Field(min_length=1)


class Policy(StrictModel):
    """What happens to tickets by itself, and other rules that are the same for all of them."""

    # Within less than the hour between two runs an order could be late before anybody was warned.
    warn_shipment_before: Duration = Field(default=timedelta(hours=6), ge=timedelta(hours=1))
    warn_deadline_before: Duration = timedelta(hours=24)
    source_silent_after: Duration = timedelta(hours=24)
    list_late_after: Duration = timedelta(minutes=20)
    delivery_stuck_after: Duration = timedelta(hours=1)
    solve_after_silence: Duration = timedelta(days=7)
    close_after_solved: Duration = timedelta(days=28)
    first_import: Duration = timedelta(days=60)
    mail_history: Duration = timedelta(days=14)
    quarantine_kept: Duration = timedelta(days=30)
    bqool_page: str = Field(default="https://app.bqool.com/", pattern=r"^https://\S+$")
    buyers_words: int = Field(default=280, ge=0, le=2000)
    send_empty_lists: bool = False
    settled_rows_kept: Duration = timedelta(days=180)
    check_results_kept: Duration = timedelta(days=90)


class Settings(StrictModel):
    """Everything in include/settings but the mail rules, which belong to the mail package."""

    marketplaces: tuple[Marketplace, ...]
    accounts: tuple[Account, ...]
    agents: tuple[Agent, ...]
    policy: Policy = Policy()
    service_levels: ServiceLevels = ServiceLevels()
    assignment: Assignment = Assignment()
    desk_files: DeskFiles = DeskFiles()
    access: Access = Access()
    retention: Retention = Retention()

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        problems = [
            *self._named_twice(),
            *self._unknown_marketplaces(),
            *self._shared_sources(),
            *self._lost_tags(),
            *self._lost_assignments(),
        ]
        if problems:
            raise ValidationError.from_exception_data("settings", [problem(*each) for each in problems])
        return self

    def _named_twice(self) -> Iterator[Problem]:
        for file, field, names in (
            ("marketplaces", "country", [m.country for m in self.marketplaces]),
            ("marketplaces", "marketplace_id", [m.marketplace_id for m in self.marketplaces]),
            ("accounts", "name", [a.name for a in self.accounts]),
            ("agents", "name", [a.name for a in self.agents]),
        ):
            for place, name in _repeated(names):
                yield (file, place, field), f"{file.removesuffix('s')} {name} is named twice"

    def _unknown_marketplaces(self) -> Iterator[Problem]:
        used: list[tuple[Location, str, str]] = [
            (("agents", place, "marketplaces", number), f"agent {agent.name}", country)
            for place, agent in enumerate(self.agents)
            for number, country in enumerate(agent.marketplaces)
        ]
        used += [
            (("accounts", place, "marketplaces", country), f"account {account.name}", country)
            for place, account in enumerate(self.accounts)
            for country in account.marketplaces
        ]
        known = {marketplace.country for marketplace in self.marketplaces}
        for where, who, country in used:
            if country not in known:
                yield where, f"{who}: unknown marketplace {country}; known: {', '.join(sorted(known))}"

    def _shared_sources(self) -> Iterator[Problem]:
        """What is read for two accounts, or twice for one, would be counted twice."""
        sources: list[tuple[Location, str, str]] = []
        for place, account in enumerate(self.accounts):
            for number, name in enumerate(account.amazon_connections):
                sources.append((("accounts", place, "amazon_connections", number), account.name, f"connection {name}"))
            for number, box in enumerate(account.mailboxes):
                for name in box.folders:
                    source = f"mailbox {box.connection}, folder {name},"
                    sources.append((("accounts", place, "mailboxes", number), account.name, source))
        for place, source in _repeated([source for _, _, source in sources]):
            where, second, _ = sources[place]
            first = next(account for _, account, other in sources if other == source)
            users = f"accounts {first} and {second}" if first != second else f"account {first} twice"
            yield where, f"{source} is used by {users}; expected one of its own for each account"

    def _lost_tags(self) -> Iterator[Problem]:
        accounts = {account.name for account in self.accounts}
        countries = {marketplace.country for marketplace in self.marketplaces}
        for place, owner in enumerate(self.accounts):
            for number, box in enumerate(owner.mailboxes):
                for tag, to in box.tags.items():
                    account, _, country = to.partition("/")
                    wrong = [account] if account and account not in accounts else []
                    wrong += [country] if country and country not in countries else []
                    if wrong:
                        where = ("accounts", place, "mailboxes", number, "tags", tag)
                        yield where, f"tag {tag}: no account or marketplace {', '.join(wrong)}"

    def _lost_assignments(self) -> Iterator[Problem]:
        accounts = {account.name for account in self.accounts}
        countries = {marketplace.country for marketplace in self.marketplaces}
        yield from assignments.problems(self.assignment, self.agents, self.service_levels, accounts, countries)
        yield from self.desk_files.problems(accounts, countries)
        agents = {agent.name for agent in self.agents}
        for name, user in self.access.users.items():
            if user.agent and user.agent not in agents:
                yield (
                    ("access", "users", name, "agent"),
                    f"unknown agent {user.agent}; known: {', '.join(sorted(agents))}",
                )
        for field in ("teams", "views", "rules"):
            for place, name in _repeated([entry.name for entry in getattr(self.assignment, field)]):
                yield ("assignment", field, place, "name"), f"{field.removesuffix('s')} {name} is named twice"
        # Without teams the name is only a label.
        teams = {team.name for team in self.assignment.teams}
        for place, account in enumerate(self.accounts):
            for country, special in account.marketplaces.items():
                if teams and special.team and special.team not in teams:
                    where = ("accounts", place, "marketplaces", country, "team")
                    yield where, f"unknown team {special.team}; known: {', '.join(sorted(teams))}"

    @cached_property
    def by_country(self) -> dict[str, Marketplace]:
        return {marketplace.country: marketplace for marketplace in self.marketplaces}

    @cached_property
    def by_id(self) -> dict[str, Marketplace]:
        return {marketplace.marketplace_id: marketplace for marketplace in self.marketplaces}

    @property
    def enabled_accounts(self) -> tuple[Account, ...]:
        """The accounts for which something new is pulled."""
        return tuple(account for account in self.accounts if account.enabled)

    def account(self, name: str) -> Account:
        """The account of that name, enabled or not.

        Raises: KeyError naming the accounts there are.
        """
        for account in self.accounts:
            if account.name == name:
                return account
        raise KeyError(f"no account {name!r} in accounts.yaml; there are: {[a.name for a in self.accounts]}")

    def marketplace_ids(self, account: Account, region: str) -> list[str]:
        """Ids of the account's active marketplaces in the region; none of a disabled account."""
        return [
            m.marketplace_id
            for m in self.marketplaces
            if account.enabled and m.region == region and _special(account, m.country).state == "active"
        ]

    def desk(self, account: Account, country: str) -> Desk:
        """The tool in which the account's agents answer this marketplace's buyers."""
        return _special(account, country).desk or self.by_country[country].desk

    def seller_name(self, account: Account, country: str) -> str:
        """The account's shop in this marketplace; where it has no name of its own, the account's name."""
        return _special(account, country).seller_name or account.name


_NOTHING_SPECIAL = AccountMarketplace()


def _special(account: Account, country: str) -> AccountMarketplace:
    return account.marketplaces.get(country, _NOTHING_SPECIAL)


def _repeated(names: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Place and name of each that came before."""
    seen: set[str] = set()
    for place, name in enumerate(names):
        if name in seen:
            yield place, name
        seen.add(name)
