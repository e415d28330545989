"""The tasks of all DAGs: each opens what it needs, calls the library, and returns references and counts."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Literal

from airflow.sdk import Asset, AssetAlias, get_current_context
from airflow.sdk.exceptions import AirflowFailException

from amazon_support import settings
from amazon_support.orchestration import hooks, metrics
from amazon_support.orchestration.windows import window_of
from amazon_support.sources.memory import Memory, ShortMemory
from amazon_support.window import Window

log = logging.getLogger(__name__)


_warehouse = hooks.open_warehouse


class RunFailed(Exception):
    """Some part of the run failed; the rest was done."""


# ---------- sources


def list_amazon_connections() -> list[dict[str, str]]:
    """One entry a connection to Amazon, that is, an account in a region."""
    return [
        {"account": account.name, "connection": connection}
        for account in settings.load().enabled_accounts
        for connection in account.amazon_connections
    ]


def list_connections_to_missing_orders() -> list[dict[str, str]]:
    """Those of the accounts with orders to ask for. Most hours have none, and no task is worth nothing."""
    from amazon_support.sources.missing_orders import accounts_with_missing_orders

    with _warehouse() as engine:
        due = accounts_with_missing_orders(engine, now=_now())
    return [source for source in list_amazon_connections() if source["account"] in due]


def pull_orders(source: dict[str, str], task_state_store: Memory | None = None) -> dict[str, Any]:
    """Pulls and lands the changed orders of one account in one region."""
    from amazon_support.sources.orders import pull_orders

    return _pull(pull_orders, source, task_state_store)


def pull_order_history(source: dict[str, str], task_state_store: Memory | None = None) -> dict[str, Any]:
    """Orders and lands the reports of all orders that changed in the window."""
    from amazon_support.sources.order_history import pull_order_history

    return _pull(pull_order_history, source, task_state_store)


def pull_missing_orders(source: dict[str, str], task_state_store: Memory | None = None) -> dict[str, Any]:
    """Fetches the orders that mail names and nobody has seen."""
    from amazon_support.sources.missing_orders import pull_missing_orders

    return _pull(pull_missing_orders, source, task_state_store)


def pull_feedback(source: dict[str, str], task_state_store: Memory | None = None) -> dict[str, Any]:
    """Orders and lands the feedback reports of every marketplace of one account in one region."""
    from amazon_support.sources.feedback import pull_feedback

    return _pull(pull_feedback, source, task_state_store)


def pull_account_health(source: dict[str, str], task_state_store: Memory | None = None) -> dict[str, Any]:
    """Orders and lands the account-health reports of one account in one region."""
    from amazon_support.sources.account_health import pull_account_health

    return _pull(pull_account_health, source, task_state_store)


def list_mailboxes() -> list[dict[str, Any]]:
    """One entry a mailbox of an account."""
    return [
        {
            "account": account.name,
            "connection": mailbox.connection,
            "folders": list(mailbox.folders),
            "tags": mailbox.tags,
            "mark": mailbox.mark,
        }
        for account in settings.load().enabled_accounts
        for mailbox in account.mailboxes
    ]


def read_mailbox(source: dict[str, Any]) -> dict[str, Any]:
    """Reads and lands the new mail of one mailbox."""
    from amazon_support.sources import mailbox

    _show(f"{source['account']} {source['connection']}")
    credentials = hooks.mailbox(source["connection"], source["account"])
    with _warehouse() as engine:
        read = mailbox.read_mailbox(
            engine,
            credentials,
            tuple(source["folders"]),
            hooks.archive(),
            buyer_key=hooks.buyer_key(),
            live_since=_now() - settings.load().policy.mail_history,
            tags=source["tags"],
            mark=source["mark"],
        )
    log.info("%d mails of %s, mailbox %s, %d unreadable", read.mails, read.account, read.mailbox, read.unreadable)
    return asdict(read)


def list_desk_folders() -> list[dict[str, str]]:
    """One entry a folder into which a desk of an account drops its exports; most installations have none."""
    current = settings.load()
    enabled = {account.name for account in current.enabled_accounts}
    return [{"account": f.account, "desk": f.desk} for f in current.desk_files.folders if f.account in enabled]


def read_desk_folder(source: dict[str, str]) -> dict[str, Any]:
    """Reads and lands the new exports in one folder."""
    from amazon_support.sources import desk_files

    _show(f"{source['account']} {source['desk']}")
    current = settings.load()
    folder = current.desk_files.folder(source["account"], source["desk"])
    with _warehouse() as engine:
        read = desk_files.read_folder(
            engine,
            folder,
            hooks.desk_folder(folder.account, folder.url, folder.connection),
            current,
            buyer_key=hooks.buyer_key(),
            now=_now(),
            done=hooks.desk_folder(folder.account, folder.moves_to, None) if folder.moves_to else None,
        )
    log.info("%s", read)
    return asdict(read)


def list_accounts() -> list[dict[str, str]]:
    """One entry an account, enabled or not: its mail is there."""
    return [{"account": account.name} for account in settings.load().accounts]


def reread_mail(source: dict[str, str]) -> dict[str, Any]:
    """Reads one account's archived mail of the window again, by the rules of today."""
    from amazon_support.sources import mail_reread

    _show(source["account"])
    account = settings.load().account(source["account"])
    with _warehouse() as engine:
        read = mail_reread.reread(engine, account, hooks.archive(), _window(), buyer_key=hooks.buyer_key())
    log.info("%s", read)
    return asdict(read)


# ---------- quality gate


def check(datasets: Sequence[str]) -> dict[str, Any]:
    """Checks every landed batch of the datasets; bad rows go to quarantine, the rest goes on.

    Raises: AirflowFailException if a batch is rejected as a whole, in one sentence with the command to look closer. It
        waits for a person, trying again cannot help; the others are published all the same.
    """
    from amazon_support import quality

    run = str(get_current_context()["run_id"])
    verdicts = []
    with _warehouse() as engine:
        for dataset in datasets:
            verdicts += quality.check(engine, dataset, settings.load(), as_of=_window().as_of, run=run)
    for verdict in verdicts:
        log.info("%s", verdict)
        metrics.count("rows", verdict.rows, account=verdict.account, dataset=verdict.dataset)
        metrics.count("rows_set_aside", verdict.quarantined, account=verdict.account, dataset=verdict.dataset)
    if rejected := [verdict for verdict in verdicts if verdict.rejected_because]:
        raise AirflowFailException(quality.rejections(rejected))
    return {"batches": len(verdicts), "quarantined": sum(v.quarantined for v in verdicts)}


def publish(datasets: Sequence[str]) -> dict[str, int]:
    """Turns checked batches into facts. Returns how many batches of each dataset.

    Marks the assets of those datasets as updated of which something passed its checks. A backfill marks none: other
    people's DAGs would take the past for news.
    """
    from amazon_support.warehouse import land

    published = {}
    with _warehouse() as engine:
        for dataset in datasets:
            with engine.begin() as connection:
                published[dataset] = land.PUBLISH[dataset](connection, settings.load())
    context = get_current_context()
    if context["dag_run"].run_type != "backfill":
        for dataset, batches in published.items():
            if batches:
                context["outlet_events"][news_of(dataset)].add(facts_of(dataset), extra={"batches": batches})
    return published


def facts_of(dataset: str) -> Asset:
    """The asset that is updated when facts of the dataset were published."""
    return Asset(name=f"amazon_support.{dataset}", uri=f"amazon-support://facts/{dataset}")


def news_of(dataset: str) -> AssetAlias:
    """What publishing declares: whether the asset was updated shows only when it runs."""
    return AssetAlias(f"amazon_support.{dataset}.published")


def check_standing(often: Literal["hourly", "daily"]) -> dict[str, int]:
    """Checks how sources and answers stand as of the window's end. What is wrong is a warning and stops nothing.

    Raises: QualityError, naming the rule, if one could not be evaluated.
    """
    from amazon_support import quality

    checks = {"hourly": quality.HOURLY, "daily": quality.DAILY}[often]
    with _warehouse() as engine:
        results = quality.check_standing(engine, checks, settings.load(), as_of=_window().as_of)
    broken = [result for result in results if result.is_broken]
    for result in broken:
        log.warning("%s", result.sentence)
    return {"checks": len(results), "warnings": len(broken)}


def write_quality_docs() -> dict[str, Any]:
    """Writes Great Expectations' Data Docs of the window's last day; the page Pipeline links them."""
    from amazon_support.quality import docs

    with _warehouse() as engine, engine.connect() as connection:
        pages = docs.write_docs(connection, settings.load(), hooks.quality_docs(), as_of=_window().as_of)
    return {"pages": pages}


def tend_quality() -> dict[str, Any]:
    """Forgets lines in quarantine that have waited long enough, settled entries, and old results of checks."""
    from amazon_support.quality import quarantine

    now, policy = _now(), settings.load().policy
    with _warehouse() as engine, engine.begin() as connection:
        forgotten = quarantine.forget(connection, before=now - policy.quarantine_kept)
        entries, results = quarantine.tidy(
            connection,
            settled_before=now - policy.settled_rows_kept,
            checked_before=now - policy.check_results_kept,
        )
    return {"forgotten": forgotten, "settled": entries, "results": results}


# ---------- answers


def fold_tickets() -> dict[str, Any]:
    """Derives tickets, status periods and clocks of every ticket with new events; a live run also assigns new ones.

    All in one transaction: nobody sees a ticket between its coming and its assignment.
    """
    from amazon_support import tickets

    window, current = _window(), settings.load()
    promises = tickets.Promises.of(current)
    assigned = tickets.AssignCounts()
    with _warehouse() as engine, engine.begin() as connection:
        folded = tickets.fold(connection, current.policy, promises)
        if window.live:
            assigned = tickets.assign(connection, current, as_of=window.as_of)
        if assigned.assigned:
            tickets.fold(connection, current.policy, promises)
    if assigned.waiting:
        log.warning("%d tickets wait for somebody of their team to be on duty", assigned.waiting)
    return {**asdict(folded), **asdict(assigned)}


def write_compliance() -> dict[str, Any]:
    """Brings compliance by day and month up to the last midnight (UTC): what has ended, and what late mail changed."""
    from amazon_support.tickets import compliance

    with _warehouse() as engine, engine.begin() as connection:
        return asdict(compliance.write_compliance(connection, settings.load(), as_of=_window().as_of))


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
                queued += outbox.queue_worklists(connection, current, as_of=window.as_of, pages=hooks.support_pages())
                # Health, too: what a daily run was too late to tell.
                queued += alerts.raise_alerts(
                    connection,
                    current,
                    as_of=window.as_of,
                    failing=_failed_sources(),
                    links=hooks.acknowledgement_links(),
                )
                alerts.note_hour(connection, as_of=window.as_of, now=_now())
        with engine.connect() as connection:
            folder = hooks.data_folder() / "worklists"
            files = worklist.write_files(connection, current, folder, as_of=window.as_of)
    if counts.uncovered:
        log.warning("%d items are of marketplaces that no agent has: see agents.yaml", counts.uncovered)
    return {**asdict(counts), "queued": queued, "files": [file.name for file in files]}


def alert_health() -> dict[str, int]:
    """A live run queues mail about account health that is newly not good or got worse."""
    from amazon_support.outputs import alerts

    window, queued = _window(), 0
    if window.live:
        with _warehouse() as engine, engine.begin() as connection:
            queued = alerts.raise_health_alerts(connection, settings.load(), as_of=window.as_of)
    return {"queued": queued}


def watch() -> dict[str, int]:
    """A live run queues mail to the leads about what is newly wrong: late worklists, silent sources, dead letters."""
    from amazon_support.outputs import alerts

    window, queued = _window(), 0
    if window.live:
        with _warehouse() as engine, engine.begin() as connection:
            queued = alerts.raise_troubles(connection, settings.load(), as_of=window.as_of)
    return {"queued": queued}


def measure() -> dict[str, int]:
    """A live run sends the figures of now to where Airflow sends its metrics: docs/metrics.md."""
    from amazon_support.outputs import summary, vitals

    window, current, sent = _window(), settings.load(), 0
    if window.live:
        with _warehouse() as engine, engine.connect() as connection:
            signs = vitals.vitals(connection, current, as_of=window.as_of)
            state = summary.summary(connection, current.policy, as_of=window.as_of)
        sent = metrics.send(metrics.gauges(signs, state))
    return {"sent": sent}


def deliver() -> dict[str, int]:
    """Delivers what waits in the outbox. Without the connection smtp_default mail waits, and the log says so."""
    from amazon_support.outputs import outbox
    from amazon_support.outputs.channels import ByChannel

    addresses = {agent.name: agent.email for agent in settings.load().agents if agent.email}
    with _warehouse() as engine, hooks.transports() as transports:
        if "email" not in transports:
            log.warning("No connection %s: mail to agents waits in pii.outbox.", hooks.SMTP_CONNECTION)
        done = outbox.deliver(engine, ByChannel(transports), at=_now(), channels=tuple(transports), addresses=addresses)
    return asdict(done)


def summarise(*, with_health: bool = False) -> None:
    """Prints the run's summary and fails if any part of the run failed.

    Runs whatever happened before: a failed account must not be hidden by the others' success.

    Args:
        with_health: shows account health, too, as it is now: Amazon tells no other.
    """
    from amazon_support.outputs import health, shipping, summary

    context, as_of = get_current_context(), _window().as_of
    with _warehouse() as engine, engine.connect() as connection:
        state = summary.render(summary.summary(connection, settings.load().policy, as_of=as_of))
        calls = summary.api_calls(connection, str(context["run_id"]))
        troubles = summary.data_quality(connection)
        to_ship = shipping.render(shipping.orders_to_ship(connection, settings.load(), as_of=as_of))
        figures = health.account_health(connection, settings.load(), as_of=_now()) if with_health else []
    log.info("\n%s\n%s\n%s\n\n%s", state, calls, troubles, to_ship)
    if with_health:
        log.info("\n%s", health.render(figures))
    if failed := _failed_tasks("failed", "upstream_failed"):
        _tell_of_failures()
        raise RunFailed(f"Failed: {', '.join(failed)}. The rest of the run was done; each task's log says what to do.")


# ---------- personal data


def remove_personal_data() -> dict[str, Any]:
    """Removes what is due of personal data as of the window's end, in the warehouse, the archive and the data folder.

    A run for the past (a backfill) removes nothing that is needed today, and no more than today's run would.
    """
    from amazon_support import privacy

    now = _now()
    with _warehouse() as engine:
        done = privacy.remove(
            engine,
            settings.load().retention,
            hooks.archive(),
            hooks.data_folder(),
            as_of=_window().as_of,
            now=now,
            buyer_key=hooks.buyer_key(),
            progress=log.info,
        )
    log.info("%s", done)
    return asdict(done)


def keep_up() -> dict[str, Any]:
    """Makes room for the worklists of the months to come; forgets old worklists, that they were sent, counts of calls.

    A window that ends ahead of the clock ends now: what was sent just now must stay known.
    """
    from amazon_support.warehouse import upkeep

    as_of = min(_window().as_of, _now())
    with _warehouse() as engine:
        return asdict(upkeep.keep_up(engine, settings.load().retention, as_of=as_of))


# ---------- what tasks share


def _tell_of_failures() -> None:
    """A live run queues mail to the leads about what of it failed, unless they have been told today."""
    from amazon_support.outputs import alerts

    window = _window()
    if window.live:
        with _warehouse() as engine, engine.begin() as connection:
            alerts.raise_troubles(connection, settings.load(), as_of=window.as_of, failing=_failed_sources())


def queue_digest() -> dict[str, int]:
    """A live run queues the digest of yesterday for those who lead; on the first of a month that of the month, too."""
    from amazon_support.outputs import digest

    window, queued = _window(), 0
    if window.live:
        with _warehouse() as engine, engine.begin() as connection:
            queued = digest.queue(connection, settings.load(), as_of=window.as_of)
    return {"queued": queued}


def _failed_tasks(*states_of_failure: str) -> list[str]:
    """Tasks of this run in these states; a mapped one with its number, as Airflow counts them."""
    context = get_current_context()
    states = context["ti"].get_task_states(dag_id=context["dag"].dag_id, run_ids=[context["run_id"]])
    found = states.get(context["run_id"], {})
    return sorted(task for task, state in found.items() if state in states_of_failure)


def _failed_sources() -> list[tuple[str, str]]:
    """Account and name of each failed task of this run; of one that is of no account, nothing and its name."""
    lists: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "orders.pull": list_amazon_connections,
        "feedback.pull": list_amazon_connections,
        "account_health.pull": list_amazon_connections,
        "mail.pull": list_mailboxes,
        "desks.pull": list_desk_folders,
    }
    failed = []
    for task in _failed_tasks("failed"):
        name, _, number = task.rpartition("_")
        sources = lists[name]() if name in lists and number.isdigit() else []
        source = sources[int(number)] if sources else {}
        what = source.get("connection") or source.get("desk")
        failed.append((source.get("account", ""), f"{name} of {what}" if what else task))
    return failed


def _pull(pull: Callable[..., Any], source: dict[str, str], memory: Memory | None) -> dict[str, Any]:
    """One pull of one account in one region, within Amazon's rates; ComeBackAt sends the task away to wait."""
    from amazon_support.sources.rates import RateLimiter

    _show(f"{source['account']} {source['connection']}")
    memory = memory or ShortMemory()
    run = str(get_current_context()["run_id"])
    folder = hooks.data_folder() / "reports"
    with _warehouse() as engine:
        client = hooks.AmazonSpApiHook(source["connection"], source["account"]).get_conn(
            lambda to: RateLimiter(engine, account=to.account, region=to.region, run=run, memory=memory)
        )
        try:
            pulled = pull(engine, client, settings.load(), _window(), memory=memory, folder=folder, now=_now())
        finally:  # a pull that waits or fails has called, too
            who = client.credentials
            for operation, calls in client.calls.items():
                metrics.count("api_calls", calls, account=who.account, region=who.region, operation=operation)
    log.info("%s", pulled)
    return asdict(pulled)


def _now() -> datetime:
    return datetime.now(UTC)


def _window() -> Window:
    return window_of(get_current_context(), now=_now())


def _show(name: str) -> None:
    """Names the mapped task in Airflow's grid."""
    get_current_context()["map_name"] = name  # type: ignore[typeddict-unknown-key]
