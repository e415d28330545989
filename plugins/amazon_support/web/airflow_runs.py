"""What the pages ask of Airflow itself: to fetch orders now, and how the last runs went."""

import logging
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends

log = logging.getLogger(__name__)

FETCHING_DAG = "orders_wanted"
TAG = "amazon-support"
MOST_RUNS = 12


def fetch_missing_orders() -> None:
    """Starts the run that asks Amazon for orders nobody has seen, unless one is about to start already.

    Where Airflow does not take it, the next hourly run asks: that is not worth an error to whoever attached the order.
    """
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.models import DagRun
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType

    try:
        if not DagRun.find(dag_id=FETCHING_DAG, state=DagRunState.QUEUED):
            trigger_dag(FETCHING_DAG, triggered_by=DagRunTriggeredByType.UI)
    except Exception as error:  # of Airflow's database or DAG; the action itself is done
        log.warning("Airflow did not start %s (%s): the next hourly run asks.", FETCHING_DAG, type(error).__name__)


def latest_runs() -> list[dict[str, Any]] | None:
    """(dag_id, run_id, run_type, state, queued_at, start_date, end_date) of the newest runs of this project's DAGs,
    the newest first; None if Airflow's database does not answer."""
    from airflow.models import DagRun
    from airflow.models.dag import DagTag
    from airflow.utils.session import create_session
    from sqlalchemy import select
    from sqlalchemy.exc import SQLAlchemyError

    names = ("dag_id", "run_id", "run_type", "state", "queued_at", "start_date", "end_date")
    ours = select(DagTag.dag_id).where(DagTag.name == TAG)
    newest = (
        select(*(getattr(DagRun, name) for name in names))
        .where(DagRun.dag_id.in_(ours))
        .order_by(DagRun.run_after.desc())
        .limit(MOST_RUNS)
    )
    try:
        with create_session() as session:
            return [dict(row) for row in session.execute(newest).mappings()]
    except SQLAlchemyError as error:
        log.warning("Airflow's database did not tell of runs: %s", type(error).__name__)
        return None


def fetching() -> Callable[[], None]:
    return fetch_missing_orders


def runs() -> list[dict[str, Any]] | None:
    return latest_runs()


FetchDep = Annotated[Callable[[], None], Depends(fetching)]
RunsDep = Annotated[list[dict[str, Any]] | None, Depends(runs)]
