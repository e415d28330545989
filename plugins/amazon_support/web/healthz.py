"""Whether the pipeline does its work, for monitors outside: open to whoever can reach the api-server, and so without a
name, an account or a number of anything. Which source is late, the page Pipeline and `doctor` say.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from amazon_support.outputs.vitals import Vitals, vitals
from amazon_support.settings import Settings
from amazon_support.warehouse import migrate
from amazon_support.web.state import current_settings, warehouse_connection

Part = dict[str, Any]
KEPT = 5.0  # seconds that an answer stands: a monitor gone wild asks the warehouse no more often

_lock = Lock()
_answer: tuple[float, dict[str, Any]] | None = None


def healthz(request: Request) -> Response:
    """200 with every part well, 503 with one that is not; both with the parts as JSON. At most five seconds old."""
    global _answer
    with _lock:
        if _answer is None or time.monotonic() - _answer[0] > KEPT:
            _answer = time.monotonic(), examine(datetime.now(UTC))
        answer = _answer[1]
    return JSONResponse(answer, 200 if answer["ok"] else 503)


def examine(as_of: datetime) -> dict[str, Any]:
    """The parts as of that instant; whatever stops one of them is told by the kind of the error alone."""
    parts = {"settings": _part(lambda: {"ok": bool(current_settings())}), "warehouse": _part(_warehouse)}
    if all(part["ok"] for part in parts.values()):
        parts |= _work(as_of)
    parts |= _airflow()
    return {"ok": all(part["ok"] for part in parts.values()), "as_of": as_of.isoformat(), "parts": parts}


def _part(look: Callable[[], Part]) -> Part:
    try:
        return look()
    except Exception as error:
        return {"ok": False, "error": type(error).__name__}


def _warehouse() -> Part:
    with warehouse_connection() as connection:
        current, needed = migrate.current_revision(connection), migrate.newest_revision()
    return {"ok": current == needed, "revision": current, "needed": needed}


def _work(as_of: datetime) -> dict[str, Part]:
    try:
        current = current_settings()
        with warehouse_connection() as connection:
            signs = vitals(connection, current, as_of=as_of)
    except Exception as error:
        return {"work": {"ok": False, "error": type(error).__name__}}
    return {name: tell(signs, current) for name, tell in WORK.items()}


def _worklists(signs: Vitals, current: Settings) -> Part:
    return {"ok": not signs.is_list_late(current), "age_seconds": _seconds(signs.list_age)}


def _sources(signs: Vitals, current: Settings) -> Part:
    longest = max((each.lag for each in signs.sources), default=None)
    late = signs.late_sources()
    return {"ok": not late, "late": len(late), "longest_lag_seconds": _seconds(longest)}


def _outbox(signs: Vitals, current: Settings) -> Part:
    held = signs.held_since is not None
    return {
        "ok": not signs.is_delivery_stuck(current),
        "held": held,
        "oldest_seconds": _seconds(signs.waiting_age),
    }


WORK = {"worklists": _worklists, "sources": _sources, "outbox": _outbox}


def _airflow() -> dict[str, Part]:
    """Its own processes, by their last heartbeats."""
    from airflow.api.common.airflow_health import HEALTHY, get_airflow_health

    try:
        found = get_airflow_health()
    except Exception as error:
        return {"airflow": {"ok": False, "error": type(error).__name__}}
    return {name: {"ok": part["status"] == HEALTHY, **_heartbeat(part)} for name, part in found.items()}


def _heartbeat(part: dict[str, Any]) -> Part:
    beat = next((value for name, value in part.items() if name.endswith("heartbeat")), None)
    return {"age_seconds": _seconds(datetime.now(UTC) - datetime.fromisoformat(beat))} if beat else {}


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())
