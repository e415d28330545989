"""Standing checks: how sources and answers stand as of an instant, whatever landed. They warn and stop nothing.

Each is a set-based query that says in numbers how things stand, one row an account and scope (a region, a marketplace,
or "all"); Great Expectations compares the numbers with the rules of suites.py. Where a number breaks its rule,
`<number>_because` of the row names the cause.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine

from amazon_support.quality import gx, suites
from amazon_support.settings import Settings
from amazon_support.warehouse import run_step

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

PULLS = "quality/standing_pulls.sql"
VOLUME = "quality/standing_volume.sql"


@dataclass(frozen=True)
class Standing:
    """A standing check: the dataset it is about, the query that says how it stands, and the rules for that."""

    dataset: str
    query: str
    rules: "Callable[[], list[Expectation]]"


HOURLY = (
    Standing("orders", PULLS, suites.pulled_orders),
    Standing("mail", "quality/standing_mail.sql", suites.mail_of_a_day),
    Standing("ticket_event", "quality/standing_ticket_event.sql", suites.ticket_events),
)
DAILY = (
    Standing("feedback", PULLS, suites.pulled_feedback),
    Standing("account_health", PULLS, suites.pulled_account_health),
    Standing("orders", VOLUME, suites.volume_of_a_day),
    Standing("mail", VOLUME, suites.volume_of_a_day),
    Standing("links", "quality/standing_links.sql", suites.links),
    Standing("marts", "quality/standing_marts.sql", suites.marts),
)


@dataclass(frozen=True)
class StandingResult:
    """What one rule says of one account and scope.

    Attributes:
        observed: the number that the rule looked at; None: there was nothing to judge.
        cause: why a rule is broken, without personal data, where the query knows.
    """

    account: str
    dataset: str
    scope: str
    rule: str
    expected: str
    observed: float | None
    is_broken: bool
    cause: str | None = None

    @property
    def sentence(self) -> str:
        """What is wrong, without personal data."""
        why = f" ({self.cause})" if self.cause else ""
        return f"{self.dataset} of {self.account} ({self.scope}): {self.observed:.2f}, {self.expected} expected{why}"


def check_standing(
    engine: Engine, checks: Sequence[Standing], settings: Settings, *, as_of: datetime
) -> list[StandingResult]:
    """Says how things stand as of the instant, and keeps it in ops.check_result; asked again, it replaces the answer.

    Args:
        checks: HOURLY or DAILY.
        as_of: aware UTC.

    Raises: QualityError if a rule could not be evaluated; of that check nothing is kept.
    """
    results: list[StandingResult] = []
    asked = parameters(settings, as_of)
    with gx.data_source(engine) as source:
        for check in checks:
            with engine.connect() as connection:
                about = {**asked, "dataset": check.dataset}
                stands = [dict(row) for row in run_step(connection, check.query, about).mappings()]
            if stands:
                results += _judged(check, stands, source)
    with engine.begin() as connection:
        _keep(connection, results, as_of)
    return results


def parameters(settings: Settings, as_of: datetime) -> dict[str, Any]:
    """What the queries may ask for, besides their dataset."""
    places = [
        {"account": account.name, "marketplace": settings.by_id[each].country, "region": settings.by_id[each].region}
        for account in settings.enabled_accounts
        for region in ("na", "eu", "fe")
        for each in settings.marketplace_ids(account, region)
    ]
    promised = [{name for name, _ in policy.metrics.measured()} for policy in settings.service_levels.policies]
    return {
        "as_of": as_of,
        "since": as_of - settings.policy.first_import,
        "accounts": [account.name for account in settings.enabled_accounts],
        "places": json.dumps(places),
        "always_promised": sorted(set.intersection(*promised)),
        "smallest_judged": suites.SMALLEST_JUDGED,
        "smallest_usual": suites.SMALLEST_USUAL,
    }


def _judged(check: Standing, stands: list[dict[str, Any]], source: Any) -> list[StandingResult]:
    rules = check.rules()
    numbers = {str(rule.column) for rule in rules}  # type: ignore[attr-defined]
    facts = [{"place": place, **{name: row[name] for name in numbers}} for place, row in enumerate(stands)]
    results = []
    for found in gx.validate(source, gx.as_query(facts, "place"), rules, ["place"]):
        broken = {row["place"] for row in found.broken}
        for place, row in enumerate(stands):
            observed, is_broken = row[found.column], place in broken
            results.append(
                StandingResult(
                    account=row["account"],
                    dataset=check.dataset,
                    scope=row["scope"],
                    rule=found.said["rule"],
                    expected=found.said["expected"],
                    observed=None if observed is None else float(observed),
                    is_broken=is_broken,
                    cause=row.get(f"{found.column}_because") if is_broken else None,
                )
            )
    return results


def _keep(connection: Connection, results: Sequence[StandingResult], as_of: datetime) -> None:
    told: dict[str, Any] = {
        f"{name}s": [getattr(result, name) for result in results]
        for name in ("account", "dataset", "scope", "rule", "observed", "cause", "is_broken")
    }
    told["expected"] = [result.expected for result in results]
    # checked_at is book-keeping: the wall clock.
    run_step(connection, "quality/standing_results.sql", {**told, "as_of": as_of, "checked_at": datetime.now(UTC)})
