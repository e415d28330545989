"""The tasks of the hourly job: each opens what it needs, calls the library, and returns references and counts."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import get_current_context
from sqlalchemy import Engine

from amazon_support import settings
from amazon_support.orchestration import hooks
from amazon_support.orchestration.windows import window_of
from amazon_support.window import Window

log = logging.getLogger(__name__)


class RunFailed(Exception):
    """Some part of the run failed; the rest was done."""


# ---------- sources


def list_amazon_connections() -> list[dict[str, str]]:
    """One entry a connection to Amazon, that is, an account in a region."""
    return [
        {"account": account.name, "connection": connection}
        for account in settings.load().accounts
        for connection in account.amazon_connections
    ]


def pull_orders(source: dict[str, str]) -> dict[str, Any]:
    """Pulls and lands the changed orders of one account in one region."""
    from amazon_support.sources import orders

    _show(f"{source['account']} {source['connection']}")
    client = hooks.AmazonSpApiHook(source["connection"], source["account"]).get_conn()
    with _warehouse() as engine:
        pulled = orders.pull_orders(engine, client, settings.load(), _window(), now=_now())
    log.info("%d orders of %s, %s; calls: %s", pulled.orders, pulled.account, pulled.region, pulled.calls)
    return asdict(pulled)


def list_mailboxes() -> list[dict[str, Any]]:
    """One entry a mailbox of an account."""
    return [
        {"account": account.name, "connection": mailbox.connection, "folders": list(mailbox.folders)}
        for account in settings.load().accounts
        for mailbox in account.mailboxes
    ]


def read_mailbox(source: dict[str, Any]) -> dict[str, Any]:
    """Reads and lands the new mail of one mailbox."""
    from amazon_support.sources import mailbox

    _show(f"{source['account']} {source['connection']}")
    credentials = hooks.mailbox(source["connection"], source["account"])
    with _warehouse() as engine:
        read = mailbox.read_mailbox(
            engine, credentials, tuple(source["folders"]), hooks.archive(), buyer_key=hooks.buyer_key()
        )
    log.info("%d mails of %s, mailbox %s, %d unreadable", read.mails, read.account, read.mailbox, read.unreadable)
    return asdict(read)


# ---------- quality gate


def check(dataset: str) -> dict[str, Any]:
    """Checks every landed batch of the dataset; bad rows go to quarantine, the rest goes on."""
    from amazon_support import quality

    with _warehouse() as engine:
        verdicts = quality.check(engine, dataset, settings.load(), as_of=_window().as_of)
    for verdict in verdicts:
        log.info("%s", verdict)
    rejected = [verdict for verdict in verdicts if verdict.rejected_because]
    if rejected:
        log.error("%d batches of %s are rejected as a whole: see ops.batch.rejected_because", len(rejected), dataset)
    return {
        "batches": len(verdicts),
        "rejected": len(rejected),
        "quarantined": sum(v.quarantined for v in verdicts),
    }


def publish(dataset: str) -> dict[str, int]:
    """Turns checked batches into facts."""
    from amazon_support.warehouse import land

    with _warehouse() as engine, engine.begin() as connection:
        step = {"orders": land.publish_orders, "mail": land.publish_mail}[dataset]
        return {"batches": step(connection, settings.load())}


# ---------- answers


def fold_tickets() -> dict[str, Any]:
    """Derives tickets, status periods and clocks of every ticket with new events."""
    from amazon_support import tickets

    with _warehouse() as engine, engine.begin() as connection:
        return asdict(tickets.fold(connection, settings.load().policy))


def write_worklists() -> dict[str, Any]:
    """Writes each agent's worklist as of the window's end; a live run also queues mail to people.

    Rows and queued mail are one transaction: nobody is told of a state that was not kept.
    """
    from amazon_support.outputs import alerts, outbox, worklist

    window, current = _window(), settings.load()
    with _warehouse() as engine:
        with engine.begin() as connection:
            counts = worklist.write_worklists(connection, current, as_of=window.as_of, since=window.start)
            queued = 0
            if window.live:
                queued += outbox.queue_worklists(connection, current, as_of=window.as_of)
                queued += alerts.raise_alerts(connection, current, as_of=window.as_of)
        with engine.connect() as connection:
            folder = hooks.data_folder() / "worklists"
            files = worklist.write_files(connection, current, folder, as_of=window.as_of)
    if counts.uncovered:
        log.warning("%d items are of marketplaces that no agent has: see agents.yaml", counts.uncovered)
    return {**asdict(counts), "queued": queued, "files": [file.name for file in files]}


def deliver() -> dict[str, int]:
    """Delivers what waits in the outbox. Without the connection smtp_default it keeps waiting, and says so."""
    from amazon_support.outputs import outbox

    with _warehouse() as engine:
        transport = hooks.smtp_transport()
        if transport is None:
            log.warning("No connection %s: mail to agents waits in ops.outbox.", hooks.SMTP_CONNECTION)
            return {"sent": 0, "failed": 0, "dead": 0}
        with transport:
            return asdict(outbox.deliver(engine, transport, at=_now()))


def summarise() -> None:
    """Prints the run's summary and fails if any part of the run failed.

    Runs whatever happened before: a failed account must not be hidden by the others' success.
    """
    from amazon_support.outputs import summary

    context = get_current_context()
    with _warehouse() as engine, engine.connect() as connection:
        log.info("\n%s", summary.render(summary.summary(connection, as_of=_window().as_of)))
    task_instance = context["ti"]
    states = task_instance.get_task_states(dag_id=context["dag"].dag_id, run_ids=[context["run_id"]])
    failed = sorted(task for task, state in states[context["run_id"]].items() if state in ("failed", "upstream_failed"))
    if failed:
        raise RunFailed(f"Failed: {', '.join(failed)}. The rest of the run was done; each task's log says what to do.")


# ---------- what tasks share


def _now() -> datetime:
    return datetime.now(UTC)


def _window() -> Window:
    return window_of(get_current_context(), now=_now())


@contextmanager
def _warehouse() -> Iterator[Engine]:
    from amazon_support.warehouse import engine

    bound = engine(hooks.warehouse_url())
    try:
        yield bound
    finally:
        bound.dispose()


def _show(name: str) -> None:
    """Names the mapped task in Airflow's grid."""
    get_current_context()["map_name"] = name  # type: ignore[typeddict-unknown-key]
