"""One answer to "which span of time is this run for", whatever started the run."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from amazon_support.window import Window

# A scheduled run later than this is history: it still computes, but writes to nobody.
STALE_AFTER = timedelta(hours=3)


def window_of(context: Mapping[str, Any], *, now: datetime) -> Window:
    """The run's window: its parameters window_start and window_end, else its data interval.

    Only a scheduled run for the newest hours is live; manual runs and backfills never write to people.
    A manual run without either answers for the last full hour.

    Args:
        context: Airflow's task context.
        now: wall clock, aware UTC.

    Raises: ValueError if only one of the two parameters is given, or they are not aware ISO times.
    """
    run = context["dag_run"]
    given = {name: (context.get("params") or {}).get(name) for name in ("window_start", "window_end")}
    if any(given.values()):
        start, end = (_aware(name, value) for name, value in given.items())
    else:
        end = run.data_interval_end or now.replace(minute=0, second=0, microsecond=0)
        start = run.data_interval_start or end - timedelta(hours=1)
    scheduled = str(getattr(run.run_type, "value", run.run_type)) == "scheduled"
    return Window(start.astimezone(UTC), end.astimezone(UTC), live=scheduled and now - end < STALE_AFTER)


def _aware(name: str, value: str | None) -> datetime:
    try:
        moment = datetime.fromisoformat(value or "")
    except ValueError:
        raise ValueError(f"{name} must be an ISO 8601 time such as 2026-11-22T10:00:00Z, got {value!r}") from None
    if moment.tzinfo is None:
        raise ValueError(f"{name} needs a time zone, for example {value}Z")
    return moment
