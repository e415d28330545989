"""
# Orders, history

Reads all orders that changed in a window of 30 days through Amazon's all-orders report: one report for each account and
region, all its marketplaces at once. Made for backfills of up to two years; the scheduled run reads the last 30 days
again and so heals whatever the hourly job may have missed.

**Backfill**, newest first, as many windows at once as `--max-active-runs` says:

    airflow backfill create --dag-id orders_history --from-date 2024-12-01 --to-date 2026-11-01 \\
        --run-backwards --max-active-runs 8

Look first with `--dry-run`. Windows begin at `--from-date`; the same date again goes on where a broken-off backfill
stopped. Amazon allows 15 reports at once and then one a minute, for each account and region: runs that are *deferred*
wait for their turn in the triggerer, not in a worker. Hourly runs may overlap: the newest version of an order stays.

**Window**: the run's data interval; a manual run may set `window_start` and `window_end` (any length, ISO 8601 with
zone).

**When a task is red**
- `orders.pull`: the log names account and region and says what to do; the others went on. Clear it: a report that was
  ordered is picked up again, windows that were landed are not asked for twice.
- `orders.check`: the checks themselves could not run. Lines that could not be read are in `ops.quarantine`.
- `summary`: says which part of the run failed. It is red whenever any task is.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DeltaDataIntervalTimetable, dag, task

from amazon_support.orchestration import tasks
from amazon_support.orchestration.defaults import DEFAULT_ARGS, WINDOW_PARAMS, Tag
from amazon_support.orchestration.groups import amazon_facts


@dag(
    # Amazon's longest window. A month would be longer than 30 days, and so two reports, seven times a year.
    schedule=DeltaDataIntervalTimetable(timedelta(days=30)),
    start_date=datetime(2020, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(days=2),
    default_args=DEFAULT_ARGS,
    params=WINDOW_PARAMS,
    tags=[Tag.SUPPORT, Tag.HISTORY],
    doc_md=__doc__,
)
def orders_history():
    orders = amazon_facts("orders", ["order_report"], tasks.pull_order_history)
    summary = task(task_id="summary", trigger_rule="all_done")(tasks.summarise)()
    orders >> summary


orders_history()
