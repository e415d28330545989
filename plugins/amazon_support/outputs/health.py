"""Account health in words: how each account does in each marketplace, as Amazon says."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from amazon_support.outputs.items import FULFILLED_BY_WORDS
from amazon_support.outputs.reader import ENGLISH, N_, Reader
from amazon_support.settings import Settings
from amazon_support.warehouse import run_step

Key = tuple[str, str, str, str | None, int | None]  # account, marketplace, metric, fulfilment, period_days
# Seller Central's page "Account Health".
PAGE = "https://{host}/performance/dashboard"
TITLES = {
    "a_to_z_claims": "A-to-z claims",
    "received_ip_complaints": "Received IP complaints",
    "suspected_ip_violations": "Suspected IP violations",
}
CONDITIONS = {"LESS_THAN": N_("below {value}"), "GREATER_THAN": N_("above {value}")}
VERDICTS = {True: N_("Good"), False: N_("Not good"), None: N_("No verdict")}


@dataclass(frozen=True)
class Figure:
    """One metric of one account and marketplace in its newest report; a row of marts/account_health.sql.

    Attributes:
        measured_at: aware UTC. value, previous_value, target_value: a share from 0 to 1, a count or a score, by `unit`.
        is_good: None without a verdict. is_worse: than in the report before.
        link: the page of Seller Central; None for a marketplace that the settings lack.
        reader: in whose words it is told. Names of metrics and statuses are Amazon's own, in English.
    """

    account: str
    marketplace: str
    metric: str
    fulfilment: str | None
    period_days: int | None
    measured_at: datetime
    unit: str | None
    value: Decimal | None
    previous_value: Decimal | None
    trend: str
    is_worse: bool
    is_good: bool | None
    severity: int | None
    status: str | None
    target_value: Decimal | None
    target_condition: str | None
    target_source: str | None
    link: str | None
    reader: Reader = ENGLISH
    tool = "Seller Central"

    @property
    def key(self) -> Key:
        return self.account, self.marketplace, self.metric, self.fulfilment, self.period_days

    @property
    def needs_attention(self) -> bool:
        return self.is_good is False or self.is_worse

    @property
    def title(self) -> str:
        """Such as `Late shipment rate, seller-fulfilled, 30 days`."""
        name = TITLES.get(self.metric) or self.metric.replace("_", " ").capitalize()
        by = self.reader.say(FULFILLED_BY_WORDS.get(self.fulfilment or "", ""))
        period = self.reader.say("{days} days", days=self.period_days) if self.period_days else ""
        return self.reader.join([name, by, period])

    @property
    def state(self) -> str:
        """Amazon's status, without one the verdict by the target."""
        if self.status and self.status != "NONE":
            return self.status.replace("_", " ").capitalize()
        return self.reader.say(VERDICTS[self.is_good])

    @property
    def amount(self) -> str:
        return self._amount(self.value)

    @property
    def target(self) -> str:
        """Such as `below 4 %`; empty without one."""
        if self.target_value is None:
            return ""
        amount = self._amount(self.target_value)
        condition = CONDITIONS.get(self.target_condition or "")
        return self.reader.say(condition, value=amount) if condition else amount

    @property
    def remark(self) -> str:
        """What it should be, and what it was."""
        was = self.previous_value if self.previous_value != self.value else None
        remark = self.reader.join(
            [
                self.reader.say("should be {value}", value=self.target) if self.target else "",
                self.reader.say("was {value}", value=self._amount(was)) if was is not None else "",
            ]
        )
        return remark[:1].upper() + remark[1:]

    def _amount(self, value: Decimal | None) -> str:
        if value is None:
            return ""
        if self.unit == "share":
            return f"{(value * 100).quantize(Decimal('0.01')).normalize():f} %"
        return f"{value.normalize():f}"


def account_health(connection: Connection, settings: Settings, *, as_of: datetime) -> list[Figure]:
    """The newest report of each account and marketplace up to an instant, the worst figures first."""
    pages = {site.country: PAGE.format(host=site.seller_central) for site in settings.marketplaces}
    rows = run_step(connection, "marts/account_health.sql", {"as_of": as_of}).mappings()
    return [Figure(**row, link=pages.get(row["marketplace"])) for row in rows]


def render(figures: list[Figure]) -> str:
    """A line of counts, and a lined-up table of what is not good or worse than before."""
    if not figures:
        return f"{'Account health':<16} no report yet"
    told = [figure for figure in figures if figure.needs_attention]
    counts = (
        f"{sum(f.is_good is True for f in figures)} good, {sum(f.is_good is False for f in figures)} not good, "
        f"{sum(f.is_worse for f in figures)} worse than before"
    )
    rows = [[f.account, f.marketplace, f.state, f.amount, f.target, f.trend, f.title] for f in told]
    headings = ["account", "site", "status", "now", "should be", "trend", "what"]
    lines = [headings, *rows] if rows else []
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    return "\n".join([f"{'Account health':<16} {counts}", *table])
