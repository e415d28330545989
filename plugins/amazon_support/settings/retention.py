"""The shape of retention.yaml: how long personal data of buyers is kept."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from amazon_support.settings.base import Duration, StrictModel

AMAZONS_LIMIT = timedelta(days=30)  # Amazon's Data Protection Policy: personal data, after delivery


def _within_amazons_limit(value: timedelta) -> timedelta:
    if value > AMAZONS_LIMIT:
        raise ValueError("expected 30d or less: Amazon allows personal data to be kept for 30 days after delivery")
    return value


def _a_day_at_least(value: timedelta) -> timedelta:
    if value < timedelta(days=1):
        raise ValueError("expected a day or more: what is younger may still be on its way or be needed")
    return value


def _not_negative(value: timedelta) -> timedelta:
    if value < timedelta(0):
        raise ValueError("expected a duration such as 7d")
    return value


Kept = Annotated[Duration, AfterValidator(_a_day_at_least)]
Usual = Annotated[Duration, AfterValidator(_not_negative)]


class Retention(StrictModel):
    """Spans after which personal data is removed; see retention.yaml for what each one counts from."""

    orders_kept: Annotated[Kept, AfterValidator(_within_amazons_limit)] = AMAZONS_LIMIT
    messages_kept: Kept = timedelta(days=30)
    delivery_within: Usual = timedelta(days=14)
    shipping_within: Usual = timedelta(days=14)
    sent_messages_kept: Kept = timedelta(days=7)
    worklist_files_kept: Kept = timedelta(days=30)
    report_files_kept: Kept = timedelta(days=2)
    access_log_kept: Kept = timedelta(days=365)
    worklists_kept: Kept = timedelta(days=60)
    calls_kept: Kept = timedelta(days=90)
    removed_together: int = Field(default=5000, ge=1, le=100_000)
