"""Examines an installation and says what to do about what it finds."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import click
from sqlalchemy import Connection

from amazon_support import settings
from amazon_support.outputs.items import duration, when
from amazon_support.outputs.vitals import DAILY_BEHIND, HOURLY_BEHIND, Vitals, vitals
from amazon_support.warehouse import connect, migrate

OK, BAD = "ok", "FAIL"
MOST_NAMED = 3  # late sources
LEAST_FREE = 2**30  # bytes: a day of a busy installation


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `advice` is empty where nothing is to be done."""

    what: str
    ok: bool
    found: str
    advice: str = ""


def examine() -> list[Finding]:
    """Looks at settings, databases, Airflow's parts, what the pipeline did lately, and every connection it needs."""
    findings = [_look("settings", _settings, "correct the named file and line")]
    if not findings[0].ok:
        return findings
    findings.append(_look("warehouse", _warehouse, "start one: python -m amazon_support up; then: … db upgrade"))
    if findings[-1].ok:
        findings += [_look(what, look, advice) for what, look, advice in _LATELY]
    findings.append(_look("airflow's database", _installation("database"), "airflow db migrate"))
    if findings[-1].ok:
        findings += [_look(what, look, advice) for what, look, advice in _AIRFLOW]
    findings.append(_look("disk", _disk, "make room, or move AMAZON_SUPPORT_DATA"))
    findings.extend(_connections())
    return findings


def render(findings: list[Finding], *, colour: bool) -> str:
    """Lined-up text, one finding a line, with what to do below the ones that failed."""
    width = max(len(finding.what) for finding in findings)
    lines = []
    for finding in findings:
        state = (
            click.style(f"{OK if finding.ok else BAD:<4}", fg="green" if finding.ok else "red")
            if colour
            else (f"{OK if finding.ok else BAD:<4}")
        )
        lines.append(f"{state}  {finding.what:<{width}}  {finding.found}")
        if not finding.ok and finding.advice:
            lines.append(f"{'':4}  {'':<{width}}  -> {finding.advice}")
    return "\n".join(lines)


def _look(what: str, look: Callable[[], str], advice: str) -> Finding:
    try:
        return Finding(what, True, look())
    except Exception as error:
        # An examination goes on whatever it meets; the first line is what a person needs.
        return Finding(what, False, str(error).strip() or type(error).__name__, advice)


def _settings() -> str:
    current = settings.load()
    counts = (len(current.marketplaces), len(current.accounts), len(current.agents))
    return "{} marketplaces, {} accounts, {} agents".format(*counts)


def _warehouse() -> str:
    with _open_warehouse() as connection:
        if problem := migrate.schema_problem(connection):
            raise RuntimeError(problem)
        return f"answers, schema at revision {migrate.current_revision(connection)}"


@contextmanager
def _open_warehouse() -> Iterator[Connection]:
    from amazon_support.orchestration import hooks

    with connect(hooks.warehouse_url()) as connection:
        yield connection


def _vitals() -> Vitals:
    with _open_warehouse() as connection:
        return vitals(connection, settings.load(), as_of=datetime.now(UTC))


def _worklists() -> str:
    signs = _vitals()
    if signs.list_age is None:
        return "none yet"
    told = f"the newest is of {when(signs.as_of - signs.list_age)}"
    if signs.is_list_late(settings.load()):
        raise RuntimeError(f"late: {told}")
    return told


def _sources() -> str:
    signs = _vitals()
    if late := signs.late_sources():
        told = [f"{source}: {duration(int(source.lag.total_seconds()))}" for source in late[:MOST_NAMED]]
        more = f" and {len(late) - MOST_NAMED} more" if len(late) > MOST_NAMED else ""
        raise RuntimeError(f"behind: {', '.join(told)}{more}")
    return f"{len(signs.sources)} are read to within {_hours(HOURLY_BEHIND)} h, daily ones {_hours(DAILY_BEHIND)} h"


def _hours(span: timedelta) -> int:
    return int(span / timedelta(hours=1))


def _quality() -> str:
    with _open_warehouse() as connection:
        rules = Counter(connection.exec_driver_sql("select rule from mart.data_quality_trouble").scalars())
    if rejected := rules.pop("whole_batch", 0):
        raise RuntimeError(f"batches of {rejected} datasets were refused as a whole and wait for a person")
    return f"no batch was refused; {rules.total()} warnings"


def _retention() -> str:
    from amazon_support.privacy import last_removal

    with _open_warehouse() as connection:
        last = last_removal(connection)
    told = f"personal data was last removed {when(last.ended_at)}" if last.ended_at else "nothing was removed yet"
    if last.is_late(datetime.now(UTC)):
        raise RuntimeError(f"late: {told}")
    return told


def _disk() -> str:
    from amazon_support.orchestration import hooks

    folder = hooks.data_folder().absolute()
    there = next(each for each in (folder, *folder.parents) if each.exists())
    usage = shutil.disk_usage(there)
    told = f"{usage.free / 2**30:.1f} GB of {usage.total / 2**30:.0f} GB free at {folder}"
    if usage.free < LEAST_FREE:
        raise RuntimeError(told)
    return told


def _deadlines() -> str:
    from amazon_support.orchestration import installation

    return installation.deadlines(now=datetime.now(UTC))


def _installation(part: str) -> Callable[[], str]:
    def look() -> str:
        from amazon_support.orchestration import installation

        found: str = getattr(installation, part)()
        return found

    return look


def _reply_copies() -> str:
    from amazon_support.outputs.mail_stats import REPLIES_WITHIN, accounts_without_reply_copies

    with _open_warehouse() as connection:
        silent = accounts_without_reply_copies(connection, until=datetime.now(UTC))
    if silent:
        told = ", ".join(f"{account} ({questions} messages of buyers)" for account, questions in silent.items())
        raise RuntimeError(f"none in {REPLIES_WITHIN.days} days for {told}: no reply is visible")
    return "come in wherever buyers write"


def _outbox() -> str:
    from amazon_support.outputs import outbox_desk

    with _open_warehouse() as connection:
        held = outbox_desk.holding(connection)
        dead = outbox_desk.messages_in(connection, ["dead"], at=datetime.now(UTC))
    if held:
        raise RuntimeError(str(held))
    if dead:
        raise RuntimeError(f"given up: {', '.join(str(row['outbox_id']) for row in dead[-20:])}")
    return "nothing is held, nothing was given up"


def _connections() -> Iterator[Finding]:
    from amazon_support.orchestration import hooks

    for account in settings.load().enabled_accounts:
        for name in account.amazon_connections:
            yield _look(
                f"amazon {name}",
                lambda name=name, account=account: _token(name, account.name),  # type: ignore[misc]
                "see README, Bring your own: connection of type amazon_sp_api",
            )
        for box in account.mailboxes:
            yield _look(
                f"mailbox {box.connection}",
                lambda box=box, account=account: _mailbox(box, account.name),  # type: ignore[misc]
                "see README, Bring your own: connection of type imap",
            )
        for folder in settings.load().desk_files.folders:
            if folder.account == account.name:
                yield _look(
                    f"desk {folder.desk}",
                    lambda folder=folder: _desk_folder(folder),  # type: ignore[misc]
                    "see desk_files.yaml: the folder must be there, and may be read",
                )
    yield _look(
        f"smtp {hooks.SMTP_CONNECTION}",
        _smtp,
        "add a connection of type smtp; until then mail to agents waits",
    )
    yield _look("mail archive", _archive, "set [core] fernet_key, or the connection amazon_support_archive")


# What the warehouse says of the last hours, and what Airflow's database says: name, look, advice.
_LATELY: tuple[tuple[str, Callable[[], str], str], ...] = (
    ("worklists", _worklists, "look at the newest run of support_hourly; is it unpaused?"),
    ("sources", _sources, "look at the task <source>.pull of support_hourly or support_daily"),
    ("quality", _quality, "see `quality show`"),
    ("retention", _retention, "look at the newest run of support_retention; is it unpaused?"),
    (
        "copies of replies",
        _reply_copies,
        "in Seller Central switch on the notification Confirmation under Messaging, see docs/mailbox.md",
    ),
    ("outbox", _outbox, "see `outbox list`; `outbox release` lifts a hold"),
)
_AIRFLOW: tuple[tuple[str, Callable[[], str], str], ...] = (
    ("airflow", _installation("processes"), "start it: python -m amazon_support up, or docker compose up"),
    ("pools", _installation("pools"), "airflow pools import include/settings/pools.json"),
    ("dags", _installation("dags"), "airflow dags list-import-errors; dags_folder must be ours"),
    ("deadlines", _deadlines, "docs/alerts.md: deadlines"),
)


def _token(connection: str, account: str) -> str:
    from amazon_support.orchestration import hooks

    client = hooks.AmazonSpApiHook(connection, account).get_conn()
    client.authenticate()
    return f"account {account}, region {client.credentials.region}: Amazon gives a token"


def _mailbox(box: settings.Mailbox, account: str) -> str:
    from amazon_support.orchestration import hooks
    from amazon_support.sources.mailbox import count_mails, open_mailbox

    credentials = hooks.mailbox(box.connection, account)
    with open_mailbox(credentials) as session:
        counts = {folder: count_mails(session, credentials, folder) for folder in box.folders}
    return f"account {account}: " + ", ".join(f"{folder} {count} mails" for folder, count in counts.items())


def _desk_folder(folder: settings.DeskFolder) -> str:
    from amazon_support.orchestration import hooks
    from amazon_support.sources.desk_files import exports_in

    files = exports_in(hooks.desk_folder(folder.account, folder.url, folder.connection), folder)
    return f"account {folder.account}: {len(files)} exports in its folder"


def _smtp() -> str:
    from amazon_support.orchestration import hooks

    transport = hooks.smtp_transport()
    if transport is None:
        raise RuntimeError(f"no connection {hooks.SMTP_CONNECTION}")
    with transport:
        transport.connect()
    return "the mail server answers"


def _archive() -> str:
    from amazon_support.orchestration import hooks

    archive = hooks.archive()
    sample = b"Subject: doctor\r\n\r\nwritten and read back\r\n"
    if archive.get(archive.put(sample)) != sample:
        raise RuntimeError("what was written is not what is read")
    return "can be written and read"
