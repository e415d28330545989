"""
# Support, messages

Delivers what waits in the outbox, and tells the leads what is newly wrong: worklists that are late, a source that is
silent, data that was set aside, messages that could not be delivered. See docs/alerts.md. Sends the figures of
docs/metrics.md to where Airflow sends its metrics, if it does.

**Runs** every five minutes, so that a message that was refused for now goes out soon, and that somebody notices when
the hourly job does not run at all. The hourly job delivers its own messages, too: two deliveries at once share the
work, and nothing is sent twice. `python -m amazon_support outbox hold --reason …` holds all sending.

**Window**: the run's data interval. Only scheduled runs tell anybody of trouble; what waits is delivered by any run.

**When a task is red**
- `deliver`: the mail server cannot be used, and the log says why; messages wait, none has lost an attempt. Messages
  that the server refused are no failure of the task: `python -m amazon_support outbox list`.
- `watch`, `measure`: the warehouse could not be asked; the log says why.
Every task may be run again at any time.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import CronDataIntervalTimetable, dag, task

from amazon_support.orchestration import tasks
from amazon_support.orchestration.defaults import DEFAULT_ARGS, WINDOW_PARAMS, Tag


@dag(
    schedule=CronDataIntervalTimetable("*/5 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=1),
    default_args=DEFAULT_ARGS,
    params=WINDOW_PARAMS,
    tags=[Tag.SUPPORT],
    doc_md=__doc__,
)
def support_messages():
    # None waits for another: what one of them cannot do must not stop the others.
    task(tasks.watch)()
    task(tasks.deliver)()
    task(tasks.measure)()


support_messages()
