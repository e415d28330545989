"""Examines an installation and says what to do about what it finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from amazon_support import settings
from amazon_support.warehouse import connect, migrate

OK, BAD = "ok", "FAIL"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `advice` is empty where nothing is to be done."""

    what: str
    ok: bool
    found: str
    advice: str = ""


def examine() -> list[Finding]:
    """Looks at settings, warehouse, and every connection the settings name."""
    findings = [_look("settings", _settings, "correct the named file and line")]
    if not findings[0].ok:
        return findings
    findings.append(_look("warehouse", _warehouse, "start one: python -m amazon_support up; then: … db upgrade"))
    if findings[-1].ok:
        findings.append(
            _look(
                "copies of replies",
                _reply_copies,
                "in Seller Central switch on the notification Confirmation under Messaging, see docs/mailbox.md",
            )
        )
        findings.append(_look("outbox", _outbox, "see `outbox list`; `outbox release` lifts a hold"))
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
    from amazon_support.orchestration import hooks

    with connect(hooks.warehouse_url()) as connection:
        current, newest = migrate.current_revision(connection), migrate.newest_revision()
    if current != newest:
        raise RuntimeError(f"schema is at revision {current}, this version needs {newest}")
    return f"answers, schema at revision {current}"


def _reply_copies() -> str:
    from amazon_support.orchestration import hooks
    from amazon_support.outputs.mail_stats import REPLIES_WITHIN, accounts_without_reply_copies

    with connect(hooks.warehouse_url()) as connection:
        silent = accounts_without_reply_copies(connection, until=datetime.now(UTC))
    if silent:
        told = ", ".join(f"{account} ({questions} messages of buyers)" for account, questions in silent.items())
        raise RuntimeError(f"none in {REPLIES_WITHIN.days} days for {told}: no reply is visible")
    return "come in wherever buyers write"


def _outbox() -> str:
    from amazon_support.orchestration import hooks
    from amazon_support.outputs import outbox_desk

    with connect(hooks.warehouse_url()) as connection:
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
