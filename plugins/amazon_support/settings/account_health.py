"""The settings by which account health is read and judged (include/settings/account_health.yaml)."""

import re
from functools import cache, cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from amazon_support.settings.load import load_file

Unit = Literal["share", "count", "score"]
Condition = Literal["LESS_THAN", "EQUALS", "GREATER_THAN"]
Spellings = tuple[str, ...]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MetricRule(_Model):
    """One metric; what each part means is said in the file."""

    unit: Unit
    condition: Condition
    spellings: Spellings = Field(min_length=1)
    target: float | None = None
    numerator: str | None = None
    denominator: str | None = None
    parts: dict[str, Spellings] = {}


class Statuses(_Model):
    good: Spellings
    no_verdict: Spellings
    bad: Spellings

    @property
    def known(self) -> list[str]:
        return [*self.good, *self.no_verdict, *self.bad]


class Fields(_Model):
    value: Spellings
    status: Spellings
    target_value: Spellings
    target_condition: Spellings
    period: Spellings
    period_start: Spellings
    period_end: Spellings
    fulfilment: Spellings
    ignored: Spellings


class HealthRules(_Model):
    """Shape of account_health.yaml."""

    statuses: Statuses
    fields_: Fields = Field(alias="fields")
    fulfilments: dict[Literal["AMAZON", "MERCHANT"], Spellings]
    metrics: dict[str, MetricRule]

    @model_validator(mode="after")
    def _spelled_once(self) -> "HealthRules":
        seen: dict[str, str] = {}
        for name, rule in self.metrics.items():
            for key in {plain(spelling) for spelling in rule.spellings}:
                if key in seen:
                    raise ValueError(f"{name} and {seen[key]} have the same spelling")
                seen[key] = name
        return self

    @cached_property
    def metric_names(self) -> dict[str, str]:
        """Our name of a metric by plain(spelling)."""
        return {plain(spelling): name for name, rule in self.metrics.items() for spelling in rule.spellings}

    @cached_property
    def field_names(self) -> dict[str, str]:
        """Our name of a field by plain(spelling)."""
        return {plain(spelling): name for name, spellings in self.fields_ for spelling in spellings}

    @cached_property
    def fulfilment_names(self) -> dict[str, str]:
        """AMAZON or MERCHANT by plain(spelling)."""
        return {plain(spelling): name for name, spellings in self.fulfilments.items() for spelling in spellings}


def plain(spelling: str) -> str:
    """The spelling without what does not matter: case, separators, "List" and the s of a plural."""
    return re.sub(r"list$", "", re.sub(r"[\W_]+", "", spelling).lower()).removesuffix("s")


@cache
def health_rules() -> HealthRules:
    """The rules of the settings, read once a process.

    Raises: SettingsError with file, line and what was expected.
    """
    return load_file("account_health.yaml", HealthRules)
