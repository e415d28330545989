"""Every kind of run knows the span it answers for, and only the newest scheduled one may write to people."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from amazon_support.orchestration.windows import window_of
from amazon_support.window import Window

NOW = datetime(2026, 3, 1, 12, 0, 40, tzinfo=UTC)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, 1, hour, minute, tzinfo=UTC)


def context(
    run_type: str, start: datetime | None = None, end: datetime | None = None, **params: str | None
) -> dict[str, Any]:
    run = SimpleNamespace(run_type=run_type, data_interval_start=start, data_interval_end=end)
    return {"dag_run": run, "params": {"window_start": None, "window_end": None, **params}}


def test_a_scheduled_run_answers_for_its_interval_and_is_live() -> None:
    assert window_of(context("scheduled", at(11), at(12)), now=NOW) == Window(at(11), at(12), live=True)


def test_a_scheduled_run_that_comes_hours_late_is_history() -> None:
    assert not window_of(context("scheduled", at(8), at(9)), now=NOW).live
    assert window_of(context("scheduled", at(9), at(10)), now=NOW).live


@pytest.mark.parametrize("run_type", ["backfill", "manual", "asset_triggered"])
def test_other_runs_write_to_nobody(run_type: str) -> None:
    assert not window_of(context(run_type, at(11), at(12)), now=NOW).live


def test_a_manual_run_without_an_interval_answers_for_the_last_full_hour() -> None:
    assert window_of(context("manual"), now=NOW) == Window(at(11), at(12), live=False)


def test_a_manual_run_may_name_its_window_in_any_zone() -> None:
    named = context("manual", window_start="2026-03-01T09:00:00+02:00", window_end="2026-03-01T08:30:00Z")
    assert window_of(named, now=NOW) == Window(at(7), at(8, 30), live=False)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"window_start": "2026-03-01T09:00:00Z"}, "window_end must be an ISO 8601 time"),
        ({"window_start": "yesterday", "window_end": "2026-03-01T09:00:00Z"}, "window_start must be an ISO 8601 time"),
        ({"window_start": "2026-03-01T08:00", "window_end": "2026-03-01T09:00:00Z"}, "window_start needs a time zone"),
        ({"window_start": "2026-03-01T09:00:00Z", "window_end": "2026-03-01T09:00:00Z"}, "window is empty"),
    ],
)
def test_a_wrong_window_says_what_is_wrong(params: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        window_of(context("manual", **params), now=NOW)


def test_a_window_needs_aware_times() -> None:
    with pytest.raises(ValueError, match="aware"):
        Window(datetime(2026, 3, 1), datetime(2026, 3, 1) + timedelta(hours=1), live=False)
