"""
# Mail, read again

After a change of `mail_rules.yaml` (or of this program): reads the archived mail of a period again, and gives it the
meaning that the rules of today find. Mail, tickets, clocks and worklists from then on are as if the rule had always
been there; nobody is written to.

**Trigger** it with the period of receipt in which mail was misunderstood:

    airflow dags trigger mail_reread \\
        --conf '{"window_start": "2026-10-01T00:00:00Z", "window_end": "2026-11-01T00:00:00Z"}'

About 300 mails a second and account. Only mail that means something else now is landed; all mail of the account from
the first such one on is linked to its tickets anew, in one transaction.

**Window**: `window_start` and `window_end`, ISO 8601 with zone; both are needed.

**When a task is red**
- `mail.pull`: the log says what is wrong with the archive (its secret, its place). Mail that cannot be opened is
  counted as lost and stays as it was understood.
- `mail.check`: the checks themselves could not run. Single bad rows are in `ops.quarantine`.
- `summary`: says which part of the run failed. It is red whenever any task is.
Every task may be run again at any time.
"""

from datetime import timedelta

from airflow.sdk import Param, dag, task

from amazon_support.orchestration import tasks
from amazon_support.orchestration.defaults import DEFAULT_ARGS, Pool, Tag
from amazon_support.orchestration.groups import facts

MOMENT = {"type": "string", "format": "date-time"}


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=DEFAULT_ARGS | {"execution_timeout": timedelta(hours=6)},
    params={
        "window_start": Param(**MOMENT, description="Mail received from then on is read again"),
        "window_end": Param(**MOMENT, description="Mail received from then on is left alone"),
    },
    tags=[Tag.SUPPORT, Tag.HISTORY],
    doc_md=__doc__,
)
def mail_reread():
    mail = facts("mail", ["mail_reread"], tasks.list_accounts, tasks.reread_mail, Pool.MAILBOXES)
    folded = task(tasks.fold_tickets)()
    summary = task(task_id="summary", trigger_rule="all_done")(tasks.summarise)()
    mail >> folded >> summary


mail_reread()
