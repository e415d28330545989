"""
# Support, hourly

Pulls changed orders (per account and region) and new mail (per mailbox), checks them, folds them into tickets and
reply clocks, and gives each agent a worklist as of the end of the hour.

**Runs** at every full hour (UTC) for the hour before. A scheduled run for the newest hour mails worklists and alerts;
manual runs, backfills and late runs compute the same answers and write to nobody.

**Window**: the run's data interval; a manual run may set `window_start` and `window_end` (ISO 8601 with zone).

**When a task is red**
- `orders.pull`, `mail.pull`: the log names connection and account and says what to do; the other accounts went on.
  `BadCredentials` is not retried: mend the connection, then clear the task.
- `orders.check`, `mail.check`: the checks themselves could not run. Single bad rows are in `ops.quarantine`, batches
  that break a rule as a whole in `ops.batch.rejected_because`; neither stops the rest.
- `summary`: says which part of the run failed. It is red whenever any task is.
Every task may be run again at any time: facts are kept once, answers are recomputed.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import CronDataIntervalTimetable, Param, TaskGroup, dag, task

from amazon_support.orchestration import hourly
from amazon_support.orchestration.defaults import DEFAULT_ARGS, Pool, Tag

WINDOW = {"type": ["null", "string"], "format": "date-time"}


def facts(dataset, list_sources, pull, pool):
    """Tasks that turn a dataset's sources into facts: pull each source, check what landed, publish what passed."""
    with TaskGroup(dataset):
        sources = task(task_id="list_sources")(list_sources)()
        pulled = task(task_id="pull", pool=pool, map_index_template="{{ map_name }}")(pull).expand(source=sources)
        # What one source could not bring must not hold up what the others brought.
        checked = task(task_id="check", trigger_rule="all_done")(hourly.check)(dataset)
        return pulled >> checked >> task(task_id="publish", trigger_rule="all_done")(hourly.publish)(dataset)


@dag(
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=55),
    default_args=DEFAULT_ARGS,
    params={
        "window_start": Param(None, **WINDOW, description="Start of the window, for manual runs"),
        "window_end": Param(None, **WINDOW, description="End of the window, for manual runs"),
    },
    tags=[Tag.SUPPORT, Tag.HOURLY],
    doc_md=__doc__,
)
def support_hourly():
    folded = task(trigger_rule="all_done")(hourly.fold_tickets)()
    worklists = task(hourly.write_worklists)()
    summary = task(task_id="summary", trigger_rule="all_done", retries=0)(hourly.summarise)()
    orders = facts("orders", hourly.list_amazon_connections, hourly.pull_orders, Pool.AMAZON)
    mail = facts("mail", hourly.list_mailboxes, hourly.read_mailbox, Pool.MAILBOXES)
    # Orders are published before mail, so that mail without an order id finds the buyer's order.
    orders >> mail >> folded >> worklists >> task(hourly.deliver)() >> summary


support_hourly()
