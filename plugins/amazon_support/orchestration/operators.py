"""Tasks that wait without holding a worker."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.python import PythonOperator
from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import Context
from airflow.sdk.bases.decorator import DecoratedOperator, task_decorator_factory

from amazon_support.sources.errors import ComeBackAt

# Leaving and coming back costs a few seconds of a worker: shorter waits are waited out.
WORTH_LEAVING = timedelta(seconds=10)


class WaitingTask(DecoratedOperator, PythonOperator):
    """Runs a Python function; where it raises ComeBackAt, the function is called again at that moment.

    Until then the task is deferred: it waits in the triggerer. What the function must still know it keeps in
    `task_state_store`, which outlives deferrals and retries. Waiting uses up no retry.
    """

    template_fields = ("templates_dict", "op_args", "op_kwargs")
    template_fields_renderers = {"templates_dict": "json", "op_args": "py", "op_kwargs": "py"}
    custom_operator_name = "@waiting_task"

    def __init__(self, *, python_callable: Callable[..., Any], op_args: Any, op_kwargs: Any, **kwargs: Any) -> None:
        called = {"python_callable": python_callable, "op_args": op_args, "op_kwargs": op_kwargs}
        super().__init__(kwargs_to_upstream=called, **called, **kwargs)

    def execute(self, context: Context, event: Any = None) -> Any:
        """Calls the function, the first time and each time it comes back (`event` is the moment, not needed)."""
        while True:
            try:
                return super().execute(context)
            except ComeBackAt as wait:
                left = wait.moment - datetime.now(UTC)
                self.log.info("%s", wait)
                if left > WORTH_LEAVING:
                    self.defer(trigger=DateTimeTrigger(moment=wait.moment), method_name="execute")
                time.sleep(max(0.0, left.total_seconds()))


def waiting_task(python_callable: Callable[..., Any] | None = None, **kwargs: Any) -> Any:
    """As `airflow.sdk.task`, for functions that may raise ComeBackAt."""
    return task_decorator_factory(python_callable, decorated_operator_class=WaitingTask, **kwargs)
