"""Airflow's deadline alerts: of runs of DAGs, not to be confused with the service levels of tickets."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from amazon_support.orchestration.windows import window_of

log = logging.getLogger(__name__)


def late_list(interval: timedelta) -> DeadlineAlert:
    """The worklists of an interval must be there `list_late_after` (policy.yaml) after its end, or the leads are told.

    Counted from the interval, not from when the run was queued: a run that was queued late is late, too. (And Airflow
    3.3.2 cannot clear a run whose deadline is counted from its queueing.)

    Args:
        interval: between two runs of the DAG.
    """
    from amazon_support.settings.load import load_policy

    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
        interval=interval + load_policy().list_late_after,
        callback=AsyncCallback(tell_of_late_list),
        name="worklists",
    )


async def tell_of_late_list(context: Mapping[str, Any]) -> str:
    """Tells the leads, once an hour's list, if worklists are late, and delivers that at once.

    Runs in the triggerer: no worker is needed for it, since a lack of workers may be the cause. Of backfills, manual
    runs and runs for past hours nobody is told. Whether worklists are late the warehouse says: a run that failed after
    they were written is no late list. What support_messages told already is not told again.

    Args:
        context: what Airflow gives with a missed deadline: the run as its REST API shows it, and the deadline.

    Returns: what was done, for Airflow's record of the callback.
    """
    # Another thread: the triggerer's loop serves all waiting tasks.
    told = await asyncio.to_thread(_tell, context, datetime.now(UTC))
    log.info("%s", told)
    return told


def _tell(context: Mapping[str, Any], now: datetime) -> str:
    from amazon_support import settings
    from amazon_support.orchestration import hooks, tasks
    from amazon_support.outputs import alerts

    if not window_of({"dag_run": _run(context["dag_run"])}, now=now).live:
        return "nobody is told: the run is for a past hour, a backfill or manual"
    with hooks.open_warehouse() as engine, engine.begin() as connection:
        queued = alerts.raise_troubles(connection, settings.load(), as_of=_moment(context["deadline"]["deadline_time"]))
    if not queued:
        return "nobody is told: the worklists are there, or the leads know"
    return f"{queued} messages queued; {tasks.deliver()}"


def _run(shown: Mapping[str, Any]) -> SimpleNamespace:
    """The run as tasks know it."""
    start, end = (shown.get(f"data_interval_{which}") for which in ("start", "end"))
    return SimpleNamespace(
        run_type=shown["run_type"],
        data_interval_start=_moment(start) if start else None,
        data_interval_end=_moment(end) if end else None,
    )


def _moment(told: str | datetime) -> datetime:
    return datetime.fromisoformat(told) if isinstance(told, str) else told
