"""
# Support, daily

Pulls seller feedback (every marketplace of each account and region) and account health (each account and region) by
report, checks them, and keeps their history: feedback that was edited, answered or removed; each metric with its trend.
Feedback of one to three stars becomes a ticket, which the next hourly run shows. Account health that is newly not good,
or got worse, is told at once to the leads (docs/alerts.md).

**Runs** every day at 03:00 UTC. Feedback is read for the 90 days before the window's end, so that edits and removals
show; a backfill of past days brings the account health of none of them (Amazon tells only today's) and no feedback
twice. Only a scheduled run writes to people, and only within three hours; what it was too late to tell, the next
scheduled hourly run tells.

**Window**: the run's data interval; a manual run may set `window_start` and `window_end` (ISO 8601 with zone).

**When a task is red**
- `feedback.pull`, `account_health.pull`: the log names account, region and marketplace and says what to do; the others
  went on. A report is ordered once, however often the task is tried again.
- `….check`: a batch broke a rule as a whole (see `quality show`), or the checks could not run.
- `check_standing`: the checks could not run; what they find only warns (`quality results`).
- `summary`: says which part of the run failed. It is red whenever any task is.
A pull that is *deferred* waits for its turn within Amazon's rates or for a report; nothing is wrong.
Every task may be run again at any time: facts are kept once.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import CronDataIntervalTimetable, dag, task

from amazon_support.orchestration import tasks
from amazon_support.orchestration.defaults import DEFAULT_ARGS, WINDOW_PARAMS, Tag
from amazon_support.orchestration.groups import amazon_facts


@dag(
    schedule=CronDataIntervalTimetable("0 3 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=DEFAULT_ARGS,
    params=WINDOW_PARAMS,
    tags=[Tag.SUPPORT, Tag.DAILY],
    doc_md=__doc__,
)
def support_daily():
    feedback = amazon_facts("feedback", ["feedback"], tasks.pull_feedback)
    account_health = amazon_facts("account_health", ["account_health"], tasks.pull_account_health)
    alerted = task(tasks.alert_health)()
    digest = task(trigger_rule="all_done")(tasks.queue_digest)()  # of what is there, if a source failed
    delivered = task(trigger_rule="all_done")(tasks.deliver)()
    summary = task(task_id="summary", trigger_rule="all_done")(tasks.summarise)(with_health=True)
    account_health >> alerted
    [feedback, alerted] >> digest >> delivered
    standing = task(trigger_rule="all_done")(tasks.check_standing)("daily")
    tended = task(tasks.tend_quality)()
    documented = task(trigger_rule="all_done")(tasks.write_quality_docs)()
    [feedback, account_health] >> standing >> documented
    [delivered, documented, tended] >> summary


support_daily()
