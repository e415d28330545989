"""What Airflow calls when something happened to a task: our channels as an Airflow notifier."""

from datetime import UTC, datetime
from typing import Any

from airflow.sdk.bases.notifier import BaseNotifier


class LeadsNotifier(BaseNotifier):
    """Tells the leads, by their channels, that a task failed: `on_failure_callback=LeadsNotifier()`, on any DAG.

    Once a day and task, through the outbox. Only live runs tell anybody: no backfill, no manual run. The task's own
    failure stays what it was if the warehouse cannot be written.
    """

    def notify(self, context: Any) -> None:
        """Queues the message.

        Args:
            context: Airflow's task context.
        """
        from amazon_support import settings
        from amazon_support.orchestration import hooks
        from amazon_support.orchestration.windows import window_of
        from amazon_support.outputs import alerts

        window = window_of(context, now=datetime.now(UTC))
        if not window.live:
            return
        task = context["ti"]
        with hooks.open_warehouse() as engine, engine.begin() as connection:
            failing = [("", f"{task.dag_id}.{task.task_id}")]
            alerts.raise_troubles(connection, settings.load(), as_of=window.as_of, failing=failing)
