"""The command line's part for personal data of buyers: what is held, removed, erased, shown on request."""

import getpass
import json
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

from amazon_support import privacy as personal
from amazon_support import settings
from amazon_support.text_table import minute, table

Warehouse = Callable[[], AbstractContextManager[Engine]]  # opens it; the command line's main module says how

KINDS = {
    "order": ("orders", "rows"),
    "ticket": ("tickets", "notes and actions"),
    "mail": ("mails", "rows"),
    "received": ("", "rows as received"),
    "set_aside": ("", "lines set aside"),
    "message": ("", "messages to staff"),
    "worklist_file": ("", "worklist files"),
    "report_file": ("", "report files"),
    "access": ("", "entries of the access log"),
}

_account = click.option("--account", default="main", show_default=True, help="Account of accounts.yaml.")
_json = click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")


@click.group("privacy")
def group() -> None:
    """Personal data of buyers: what is held, what was removed; remove, erase, export."""


@group.command("list")
@_json
@click.pass_obj
def list_(warehouse: Warehouse, as_json: bool) -> None:
    """What personal data is held, where, and since when."""
    with warehouse() as engine, engine.connect() as connection:
        rows = personal.held(connection)
    if as_json:
        click.echo(json.dumps(rows, default=str, indent=2))
        return
    lines = [[row["what"], row["place"], f"{row['rows']:,}", minute(row["oldest"])] for row in rows]
    click.echo(table(["what", "where", "rows", "oldest (UTC)"], lines, right={2}))


@group.command()
@click.option("--key", help="Only of this order, ticket key or mail id.")
@click.option("--most", default=20, show_default=True, type=click.IntRange(1), help="Removals at most.")
@_json
@click.pass_obj
def record(warehouse: Warehouse, key: str | None, most: int, as_json: bool) -> None:
    """What was removed, when and by which rule; the newest first."""
    with warehouse() as engine, engine.connect() as connection:
        rows = personal.record_of(connection, key, most=most)
    if as_json:
        click.echo(json.dumps(rows, default=str, indent=2))
        return
    heading = ["run", "rule", "as of (UTC)", "ended (UTC)", "account", "removed", "because"]
    click.echo(table(heading, [_removal(row) for row in rows]) if rows else "Nothing was removed yet.")


def _removal(row: Mapping[str, Any]) -> list[str]:
    subjects, entries = KINDS.get(row["kind"] or "", ("", ""))
    what = f"{row['entries'] or 0:,} {entries}"
    if subjects:
        what = f"{row['subjects']:,} {subjects}, {what}"
    if row["files_waiting"]:
        what += f", {row['files_waiting']:,} with files still in the archive"
    return [
        str(row["run_id"]),
        row["rule"],
        minute(row["as_of"]),
        minute(row["finished_at"]) if row["finished_at"] else "not ended",
        row["account"] or "",
        what if row["kind"] else "nothing",
        row["because"] or "",
    ]


@group.command()
@click.option("--as-of", metavar="TIME", help="What was due then, such as 2026-03-01T10:00Z.  [default: now]")
@click.option("--dry-run", is_flag=True, help="Only count.")
@_json
@click.pass_obj
def remove(warehouse: Warehouse, as_of: str | None, dry_run: bool, as_json: bool) -> None:
    """Remove what is due by retention.yaml, as the DAG support_retention does each night.

    May be stopped at any moment and repeated. A time of the past removes nothing that is needed today.
    """
    from amazon_support.cli import _moment, _progress
    from amazon_support.orchestration import hooks

    now = datetime.now(UTC)
    moment = _moment(as_of) if as_of else now
    retention = settings.load().retention
    with warehouse() as engine, _progress() as progress:
        if dry_run:
            found = vars(personal.due(engine, retention, as_of=moment))
        else:
            done = personal.remove(
                engine,
                retention,
                hooks.archive(),
                hooks.data_folder(),
                as_of=moment,
                now=now,
                buyer_key=hooks.buyer_key(),
                progress=progress,
            )
            found = vars(done)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    click.echo("Due, nothing is removed:" if dry_run else f"Removed as number {found['run_id']} of the record:")
    click.echo(table(None, [[name, f"{count:,}"] for name, count in found.items() if name != "run_id"], right={1}))


@group.command()
@_account
@click.option("--order", "order_id", metavar="ID", help="An order of the buyer.")
@click.option("--alias", metavar="ADDRESS", help="The address that Amazon gave the buyer.")
@click.option(
    "--because", metavar="TEXT", help="The request, such as its number; kept in the record. No personal data."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def erase(
    warehouse: Warehouse, account: str, order_id: str | None, alias: str | None, because: str | None, yes: bool
) -> None:
    """Erase what is held of one buyer: names, addresses, words, raw mail; of every order, ticket and mail.

    The buyer is named by one order or by the alias. Shows first what there is, and asks. Figures and history without
    personal data stay. This cannot be undone.
    """
    from amazon_support.orchestration import hooks

    if bool(order_id) == bool(alias):
        raise click.UsageError("Name the buyer by --order or by --alias, one of them.")
    if yes and not because:
        raise click.UsageError("--yes needs --because: the record must say why.")
    retention = settings.load().retention
    with warehouse() as engine:
        key, archive = hooks.buyer_key(), hooks.archive()
        with personal.find_buyer(engine, account=account, order_id=order_id, alias=alias, buyer_key=key) as found:
            connection, buyer = found
            click.echo(
                f"Account {account} holds of this buyer: {len(buyer.order_ids):,} orders, {buyer.holds.tickets:,} "
                f"tickets, {buyer.holds.mails:,} mails with their words."
            )
            for each in buyer.order_ids[:20]:
                click.echo(f"  order {each}")
            if not yes:
                because = because or click.prompt("Which request is this for (its number, no personal data)")
                click.confirm("Erase it all? This cannot be undone.", abort=True)
            done = personal.erase(connection, buyer, retention, archive, because=str(because), buyer_key=key)
    click.echo(
        f"Erased as number {done.run_id} of the record: {done.orders:,} orders, {done.tickets:,} tickets, "
        f"{done.mails:,} mails, {done.files:,} files of the archive, {done.messages:,} messages to staff."
    )
    click.echo("What the mailbox, Amazon, the desks and backups hold is not ours to erase: see docs/privacy.md.")


@group.command()
@_account
@click.option("--order", "order_id", metavar="ID", required=True, help="The order.")
@click.option("--to", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write it here, for you alone.")
@click.pass_obj
def export(warehouse: Warehouse, account: str, order_id: str, file: Path | None) -> None:
    """All that is held on one order, as JSON that a person can read: for a buyer who asks.

    It is personal data. That you saw it is on record.
    """
    with warehouse() as engine, engine.begin() as connection:
        told = personal.export(connection, account, order_id, visitor=getpass.getuser(), at=datetime.now(UTC))
    text = json.dumps(told, default=_plain, indent=2, ensure_ascii=False)
    if file is None:
        click.echo(text)
        return
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as written:
            written.write(text + "\n")
    except OSError as error:
        trouble = f"{file} cannot be written ({error.strerror}): name a file that is not there."
        raise click.ClickException(trouble) from None
    click.echo(f"Written: {file}, {sum(map(len, told.values())):,} entries")


def _plain(value: Any) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if isinstance(value, datetime) else str(value)
