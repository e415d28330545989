"""
# Support, hourly

Pulls changed orders (per account and region) and new mail (per mailbox), fetches the orders that mail names and nobody
has seen, reads what agents did from their desks' exports, checks all of it, folds it into tickets and clocks, assigns
new tickets, and gives each agent a worklist as of the end of the hour; compliance by day and month is brought up to the
last midnight. More changed orders than searching can carry within Amazon's rates are pulled by report, and the log says
so.

**Runs** at every full hour (UTC) for the hour before. A scheduled run for the newest hour mails worklists and alerts;
manual runs, backfills and late runs compute the same answers and write to nobody. Worklists that are not there
`list_late_after` (policy.yaml) after the hour's end are told to the leads (Airflow's deadline alert).

**Window**: the run's data interval; a manual run may set `window_start` and `window_end` (ISO 8601 with zone).

**When a task is red**
- `orders.pull`, `missing_orders.pull`, `mail.pull`: the log names connection and account and says what to do; the
  other accounts went on. `BadCredentials` is not retried: mend the connection, then clear the task.
- `desks.pull`: the log names the file that is no export of the desk's format, or the folder that cannot be read.
- `….check`: a batch broke a rule as a whole (`quality show` tells more; the others are published), or the checks could
  not run. Single bad rows wait in quarantine (`quality list`) and stop nothing.
- `check_standing`: the checks could not run; what they find only warns (`quality results`).
- `summary`: says which part of the run failed. It is red whenever any task is.
A pull that is *deferred* waits for its turn within Amazon's rates or for a report; nothing is wrong.
Every task may be run again at any time: facts are kept once, answers are recomputed.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import CronDataIntervalTimetable, dag, task

from amazon_support.orchestration import tasks
from amazon_support.orchestration.deadlines import late_list
from amazon_support.orchestration.defaults import DEFAULT_ARGS, WINDOW_PARAMS, Pool, Tag
from amazon_support.orchestration.groups import amazon_facts, facts
from amazon_support.orchestration.notifiers import LeadsNotifier


@dag(
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=55),
    deadline=late_list(timedelta(hours=1)),
    default_args=DEFAULT_ARGS,
    params=WINDOW_PARAMS,
    tags=[Tag.SUPPORT, Tag.HOURLY],
    doc_md=__doc__,
)
def support_hourly():
    orders = amazon_facts("orders", ["orders", "order_report"], tasks.pull_orders)
    # Orders are published before mail, so that mail without an order id finds the buyer's order.
    mail = facts("mail", ["mail"], tasks.list_mailboxes, tasks.read_mailbox, Pool.MAILBOXES)
    # Only published mail tells which orders are missing.
    missing_orders = amazon_facts(
        "missing_orders", ["orders"], tasks.pull_missing_orders, tasks.list_connections_to_missing_orders, after=mail
    )
    # Mail is published before what agents did with it: an action needs its ticket.
    desks = facts("desks", ["desk_action"], tasks.list_desk_folders, tasks.read_desk_folder, Pool.WAREHOUSE)
    # Without these two nobody would be told of anything.
    folded = task(trigger_rule="all_done", on_failure_callback=LeadsNotifier())(tasks.fold_tickets)()
    compliance = task(tasks.write_compliance)()
    standing = task(trigger_rule="all_done")(tasks.check_standing)("hourly")
    worklists = task(on_failure_callback=LeadsNotifier())(tasks.write_worklists)()
    delivered = task(tasks.deliver)()
    summary = task(task_id="summary", trigger_rule="all_done")(tasks.summarise)()
    orders >> mail >> missing_orders >> desks >> folded >> worklists >> delivered >> summary
    folded >> [compliance, standing] >> summary  # nobody waits for them


support_hourly()
