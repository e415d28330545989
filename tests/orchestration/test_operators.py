"""A task that must wait gives its worker back, comes back at the right moment, and goes on where it stopped."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import TaskDeferred

from amazon_support.orchestration.operators import waiting_task
from amazon_support.sources.errors import ComeBackAt, Unavailable


def task_of(function: Callable[..., Any]) -> Any:
    """The operator that runs the function in a DAG."""
    with DAG("waiting", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        waiting_task(task_id="pull")(function)()
    return dag.get_task("pull")


def context(**state: Any) -> dict[str, Any]:
    return {"ti": None, "task_state_store": state}


def pull(task_state_store: Any = None) -> list[str]:
    """Waits as often as the state says, and remembers each time."""
    waits: list[str] = task_state_store.setdefault("waits", [])
    if len(waits) < len(task_state_store["moments"]):
        waits.append("waited")
        raise ComeBackAt(task_state_store["moments"][len(waits) - 1], "a report is being made")
    return waits


def test_a_long_wait_is_spent_in_the_triggerer() -> None:
    moment = datetime.now(UTC) + timedelta(minutes=5)
    task, state = task_of(pull), context(moments=[moment])
    with pytest.raises(TaskDeferred) as left:
        task.execute(state)
    assert left.value.trigger.moment == moment
    assert task.resume_execution(left.value.method_name, {"event": moment}, state) == ["waited"]


def test_a_short_wait_is_waited_out() -> None:
    soon = datetime.now(UTC) + timedelta(milliseconds=20)
    assert task_of(pull).execute(context(moments=[soon, soon])) == ["waited", "waited"]


def test_a_function_that_fails_fails_the_task() -> None:
    def fails() -> None:
        raise Unavailable("Amazon does not answer")

    with pytest.raises(Unavailable):
        task_of(fails).execute(context())


def test_it_takes_what_any_task_takes() -> None:
    with DAG("waiting", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        made = waiting_task(task_id="pull", trigger_rule="all_done", map_index_template="{{ map_name }}")(
            lambda source: source
        )
        made.expand(source=["a", "b"])
    task = dag.get_task("pull")
    assert task.is_mapped
    assert task.trigger_rule == "all_done"
    assert task.partial_kwargs["map_index_template"] == "{{ map_name }}"
