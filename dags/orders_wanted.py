"""
# Orders that somebody waits for

An agent attached an order to a ticket that is not known here: asks Amazon for it at once, checks it and publishes it,
and folds the ticket. The support pages start it; nothing else does, and it may be started by hand:

    airflow dags trigger orders_wanted

The hourly run asks for such orders, too. What Amazon does not know is asked for again later, then no more: see
`sources/missing_orders.py`. Nobody is written to.

**Window**: none; it asks for whatever is due to be asked for now.

**When a task is red**
- `missing_orders.pull`: the log names connection and account and says what to do. The next hourly run asks again.
- `missing_orders.check`: the checks themselves could not run. Single bad rows are in `ops.quarantine`.
- `folded`: another fold held the tickets; run it again, or wait for the hourly run.
Every task may be run again at any time.
"""

from datetime import timedelta

from airflow.sdk import dag, task

from amazon_support.orchestration import tasks
from amazon_support.orchestration.defaults import DEFAULT_ARGS, Tag
from amazon_support.orchestration.groups import amazon_facts


@dag(
    schedule=None,
    catchup=False,
    is_paused_upon_creation=False,  # without a schedule it does nothing by itself
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=30),
    default_args=DEFAULT_ARGS,
    tags=[Tag.SUPPORT],
    doc_md=__doc__,
)
def orders_wanted():
    missing_orders = amazon_facts(
        "missing_orders", ["orders"], tasks.pull_missing_orders, tasks.list_connections_to_missing_orders
    )
    folded = task(trigger_rule="all_done")(tasks.fold_tickets)()
    summary = task(task_id="summary", trigger_rule="all_done")(tasks.summarise)()
    missing_orders >> folded >> summary


orders_wanted()
