"""Commands about messages to people: the outbox."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import click
from sqlalchemy import Connection

from amazon_support.outputs.reader import ENGLISH
from amazon_support.settings.assignment import Language

_personal = click.option("--with-personal-data", is_flag=True, help="Also whom it is for, and its words.")
_json = click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")
_ids = click.argument("ids", nargs=-1, type=int, metavar="ID...")


@contextmanager
def _warehouse() -> Iterator[Connection]:
    from amazon_support.cli import _airflows_warehouse

    with _airflows_warehouse() as engine, engine.begin() as connection:
        yield connection


@click.group()
def outbox() -> None:
    """Messages to people: what waits, what was given up, and holding all sending."""


@outbox.command("list")
@click.option("--dead", "dead", is_flag=True, help="Only those that were given up.")
@click.option("--all", "every", is_flag=True, help="Also what was sent or cancelled.")
@click.option("--due", is_flag=True, help="Only what the next delivery would send.")
@click.option("--most", default=200, show_default=True, type=click.IntRange(1), help="How many, the oldest first.")
@_personal
@_json
def list_messages(dead: bool, every: bool, due: bool, most: int, with_personal_data: bool, as_json: bool) -> None:
    """List messages that wait or were given up, in the order in which they are sent."""
    from amazon_support.outputs import outbox_desk as desk

    states: list[desk.State] = ["dead"] if dead else ["waiting"] if due else ["waiting", "dead"]
    states += ["sent", "cancelled"] if every else []
    with _warehouse() as connection:
        held = desk.holding(connection)
        rows = desk.messages_in(
            connection, states, at=datetime.now(UTC), most=most, with_personal_data=with_personal_data
        )
    rows = [row for row in rows if row["is_due"]] if due else rows
    click.echo(json.dumps(rows, default=str, indent=2) if as_json else desk.render(rows))
    if held:
        click.echo(f"{held} `outbox release` lifts it.", err=True)


@outbox.command()
@click.argument("id", type=int)
@_personal
@_json
def show(id: int, with_personal_data: bool, as_json: bool) -> None:
    """Show one message and what became of it."""
    from amazon_support.outputs import outbox_desk as desk

    with _warehouse() as connection:
        row = desk.message(connection, id, with_personal_data=with_personal_data)
    click.echo(json.dumps(row, default=str, indent=2) if as_json else desk.render_message(row))


@outbox.command()
@_ids
@click.option("--all-dead", is_flag=True, help="All that were given up.")
def retry(ids: tuple[int, ...], all_dead: bool) -> None:
    """Send messages again that were given up or cancelled."""
    from amazon_support.outputs import outbox_desk as desk

    if bool(ids) == all_dead:
        raise click.UsageError("Name messages, or say --all-dead.")
    with _warehouse() as connection:
        count = desk.retry(connection, ids, at=datetime.now(UTC))
    click.echo(f"{count} of them go out with the next delivery." if ids else f"{count} go out with the next delivery.")


@outbox.command()
@_ids
def cancel(ids: tuple[int, ...]) -> None:
    """Do not send messages that wait or were given up."""
    from amazon_support.outputs import outbox_desk as desk

    if not ids:
        raise click.UsageError("Name messages: see `outbox list`.")
    with _warehouse() as connection:
        count = desk.cancel(connection, ids, at=datetime.now(UTC))
    click.echo(f"{count} of {len(ids)} are cancelled; what was sent stays sent.")


@outbox.command()
@click.option("--reason", help="Why; without it the command only shows whether sending is held.")
def hold(reason: str | None) -> None:
    """Hold all sending, at once and for all workers. Messages go on to be queued and wait."""
    from amazon_support.outputs import outbox_desk as desk

    with _warehouse() as connection:
        held = desk.hold(connection, reason, at=datetime.now(UTC)) if reason else desk.holding(connection)
    click.echo(f"{held} `outbox release` lifts it." if held else "Sending is not held; --reason TEXT holds it.")


@outbox.command()
def release() -> None:
    """Lift the hold: what waits goes out with the next delivery."""
    from amazon_support.outputs import outbox_desk as desk

    with _warehouse() as connection:
        lifted = desk.release(connection, at=datetime.now(UTC))
    click.echo("The hold is lifted." if lifted else "Sending was not held.")


@outbox.command("dry-run")
@click.option("--as-of", metavar="TIME", help="2026-03-01T10:00Z.  [default: the last full hour]")
@_personal
@_json
def dry_run(as_of: str | None, with_personal_data: bool, as_json: bool) -> None:
    """List what a live run of that hour would send and nobody has been sent yet. Nothing is written."""
    from amazon_support import settings
    from amazon_support.cli import _moment
    from amazon_support.outputs import outbox_desk as desk

    moment = _moment(as_of) if as_of else datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with _warehouse() as connection:
        rows = desk.would_send(connection, settings.load(), as_of=moment, with_personal_data=with_personal_data)
    click.echo(json.dumps(rows, default=str, indent=2) if as_json else desk.render(rows))


@click.command()
@click.option("--as-of", metavar="TIME", help="2026-03-01T03:00Z: of the day before it.  [default: now]")
@click.option("--month", is_flag=True, help="Of the month before it.")
@click.option("--agent", metavar="NAME", help="As this lead, or the manager, gets it.  [default: of all teams]")
@click.option(
    "--html", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write it as a page, with charts."
)
def digest(as_of: str | None, month: bool, agent: str | None, file: Path | None) -> None:
    """Print the digest of a day or month. Nothing is sent or written."""
    from amazon_support import settings
    from amazon_support.cli import _moment
    from amazon_support.outputs import digest as digests
    from amazon_support.outputs.worklist import reader

    current, moment = settings.load(), _moment(as_of) if as_of else datetime.now(UTC)
    known = {each.name: (each, scope) for each, scope in digests.recipients(current)}
    if agent and agent not in known:
        names = ", ".join(known)
        raise click.ClickException(f"{agent} gets no digest; these do: {names} (lead, manager in assignment.yaml).")
    words, scope = (reader(known[agent][0]), known[agent][1]) if agent else (ENGLISH, digests.EVERYTHING)
    make = digests.of_month if month else digests.of_day
    with _warehouse() as connection:
        made = make(connection, current, scope, as_of=moment)
    if file:
        file.write_text(digests.as_page(made, words), encoding="utf-8")
        click.echo(f"Written: {file}")
    else:
        click.echo(digests.render(made, words, {}, str).plain)


@click.group()
def outputs() -> None:
    """What people are sent."""


@outputs.group()
def preview() -> None:
    """Look at a message before anybody is sent it."""


@preview.command("worklist")
@click.option("--agent", metavar="NAME", help="The list of this agent of agents.yaml.")
@click.option("--team", metavar="NAME", help="That of a team, as its lead gets it.")
@click.option("--desk", metavar="NAME", help="That of a desk, as the addresses in assignment.yaml get it.")
@click.option("--marketplace", metavar="COUNTRY", help="That of a marketplace, likewise.")
@click.option("--lang", type=click.Choice(get_args(Language)), help="In these words.  [default: the reader's]")
@click.option("--as-of", metavar="TIME", help="2026-03-01T10:00Z.  [default: now]")
@click.option("--html", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write it as mails show it.")
def preview_worklist(lang: Language | None, as_of: str | None, file: Path | None, **lists: str | None) -> None:
    """Print a worklist as it would be mailed, buyers' words as far as settings allow. Nothing is sent or kept."""
    from amazon_support import settings
    from amazon_support.cli import _moment
    from amazon_support.orchestration import hooks
    from amazon_support.outputs import outbox_desk as desk

    chosen = [(of, name) for of, name in lists.items() if name]
    if len(chosen) != 1:
        raise click.UsageError("Name one list: --agent, --team, --desk or --marketplace.")
    of, name = chosen[0]
    moment = _moment(as_of) if as_of else datetime.now(UTC)
    with _warehouse() as connection:
        message = desk.preview(
            connection,
            settings.load(),
            of,  # type: ignore[arg-type]
            str(name),
            as_of=moment,
            language=lang,
            pages=hooks.support_pages(),
        )
    if file:
        file.write_text(message.text.html, encoding="utf-8")
    click.echo(f"Written: {file}" if file else f"{message.text.subject}\n\n{message.text.plain}")


@click.group()
def alerts() -> None:
    """What people are told when something is late."""


@alerts.command()
@click.argument("token")
def ack(token: str) -> None:
    """Say of a breach "I see to it": nobody is told of it again. TOKEN is the end of the link in the alert."""
    from amazon_support import settings
    from amazon_support.orchestration import hooks
    from amazon_support.outputs.acknowledge import acknowledge

    now = datetime.now(UTC)
    with _warehouse() as connection:
        breach = hooks.acknowledgement_links().read(token.rpartition("/")[2], settings.load(), at=now)
        is_new = acknowledge(connection, breach, at=now)
    told = "No more alerts about" if is_new else "Acknowledged before:"
    click.echo(f"{told} {breach.ticket_id} (account {breach.account}), until it is late again after an answer.")
