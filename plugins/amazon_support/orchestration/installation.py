"""What Airflow's own database says of this installation. For the command line; tasks may not ask it."""

import json
from collections.abc import Collection
from datetime import datetime, timedelta

from airflow.utils.session import create_session
from sqlalchemy import func, select

from amazon_support.settings import home

NAMED = {"scheduler": "scheduler", "dag_processor": "dag-processor", "triggerer": "triggerer"}


class NotWell(Exception):
    """A part of Airflow is not as the pipeline needs it; the message says what."""


def database() -> str:
    """Whether Airflow's database answers.

    Raises: NotWell
    """
    from airflow.api.common.airflow_health import HEALTHY, get_airflow_health

    if get_airflow_health()["metadatabase"]["status"] != HEALTHY:
        raise NotWell("Airflow's database does not answer, or has another schema")
    return "answers"


def processes() -> str:
    """Which of Airflow's processes beat.

    Raises: NotWell naming those that do not.
    """
    from airflow.api.common.airflow_health import HEALTHY, get_airflow_health

    found = get_airflow_health()
    silent = [name for key, name in NAMED.items() if found[key]["status"] != HEALTHY]
    if silent:
        raise NotWell(f"no heartbeat of {', '.join(silent)}")
    return f"{', '.join(NAMED.values())} beat"


def pools() -> str:
    """The slots of the pools that our tasks name.

    Raises: NotWell naming those that are not there: tasks in them would never be started.
    """
    from airflow.models.pool import Pool

    needed = json.loads((home() / "include/settings/pools.json").read_text())
    with create_session() as session:
        slots = {pool.pool: pool.slots for pool in session.scalars(select(Pool))}
    if missing := [name for name in needed if not slots.get(name)]:
        raise NotWell(f"not there, or without slots: {', '.join(missing)}")
    return ", ".join(f"{name} {slots[name]}" for name in needed)


def dags() -> str:
    """Which of our DAGs are paused.

    Raises: NotWell where Airflow does not know them all, or a file cannot be imported.
    """
    from airflow.models.dag import DagModel
    from airflow.models.errors import ParseImportError

    ours = {path.stem for path in (home() / "dags").glob("*.py")}
    with create_session() as session:
        broken = [error.filename for error in session.scalars(select(ParseImportError))]
        known = {dag.dag_id: dag for dag in session.scalars(select(DagModel).where(DagModel.dag_id.in_(ours)))}
        paused = sorted(name for name, dag in known.items() if dag.is_paused)
    if broken:
        raise NotWell(f"cannot be imported: {', '.join(map(str, broken))}")
    if missing := ours - known.keys():
        raise NotWell(f"not known to Airflow: {_list(missing)}")
    return f"{len(known)} known; paused: {_list(paused) or 'none'}"


def deadlines(*, now: datetime) -> str:
    """The deadline of support_hourly, and how its alerts fared.

    Raises: NotWell where there is none, or one of the last day could not be told.
    """
    from airflow.models.callback import Callback
    from airflow.models.deadline_alert import DeadlineAlert
    from airflow.models.serialized_dag import SerializedDagModel

    with create_session() as session:
        newest = (
            select(SerializedDagModel.id)
            .where(SerializedDagModel.dag_id == "support_hourly")
            .order_by(SerializedDagModel.created_at.desc())
            .limit(1)
            .scalar_subquery()
        )
        alerts = session.scalars(select(DeadlineAlert.name).where(DeadlineAlert.serialized_dag_id == newest)).all()
        lately = Callback.created_at > now - timedelta(days=1)
        failed = session.scalar(select(func.count()).where(lately, Callback.state == "failed"))
    if not alerts:
        raise NotWell("support_hourly has none: was it read by Airflow since the last update?")
    if failed:
        raise NotWell(f"{failed} alerts of the last day failed: see the triggerer's log")
    return f"support_hourly: {_list(map(str, alerts))}; no alert failed in the last day"


def _list(names: "Collection[str] | map[str]") -> str:
    return ", ".join(sorted(names))
