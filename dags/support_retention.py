"""
# Support, retention

Removes personal data of buyers that is due: names, addresses, aliases and words, 30 days after delivery or after the
last message, in the warehouse, the mail archive and the data folder; what was removed is on record. Figures and history
stay. How long each thing is kept: `retention.yaml`; what is held where, and what to do when a buyer asks:
docs/privacy.md. Beside it old worklists, that they were sent, and counts of calls go, and room
is made for the worklists of the months to come.

**Runs** every day at 01:30 UTC, in batches with a commit each; it may be killed and run again at any time. A run for
the past removes nothing that is needed today, so a backfill does no harm, and is of no use: each run removes all that
is due.

**Window**: what was due at its end; a manual run may set `window_start` and `window_end` (ISO 8601 with zone).

**When a task is red**
- `remove`: the log says what could not be removed, mostly files of the archive (rights, an object store that is away).
  The warehouse is done by then; the next run goes on with the files. See `privacy list` and `privacy record`.
- `keep_up`: somebody held the worklists for long; nothing is lost, and the next run does it.
Until `remove` is green again personal data is kept longer than Amazon allows: mend it within days.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import CronDataIntervalTimetable, dag, task

from amazon_support.orchestration import tasks
from amazon_support.orchestration.defaults import DEFAULT_ARGS, WINDOW_PARAMS, Tag
from amazon_support.orchestration.notifiers import LeadsNotifier


@dag(
    schedule=CronDataIntervalTimetable("30 1 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=DEFAULT_ARGS | {"execution_timeout": timedelta(hours=6)},
    params=WINDOW_PARAMS,
    tags=[Tag.SUPPORT, Tag.DAILY],
    doc_md=__doc__,
)
def support_retention():
    task(task_id="remove", on_failure_callback=LeadsNotifier())(tasks.remove_personal_data)()
    task(tasks.keep_up)()


support_retention()
