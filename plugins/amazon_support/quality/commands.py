"""The command line's part for people who work the quarantine."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import Engine

from amazon_support import settings
from amazon_support.quality import quarantine
from amazon_support.quality.quarantine import Chosen
from amazon_support.text_table import minute, table
from amazon_support.warehouse import run_step

Warehouse = Callable[[], AbstractContextManager[Engine]]  # opens it; the command line's main module says how

NOTHING = "Nothing waits in quarantine."
NOTHING_TO_SHOW = "Nothing waits in quarantine, and no row is warned of."
NOTHING_FOUND = "No check found anything; --all shows those that passed."


def _chosen(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--batch", "batch_id", type=int, help="Only of this batch."),
        click.option("--rule", help="Only what broke this rule."),
        click.option("--dataset", help="Only of this dataset, such as order_report."),
        click.option("--account", help="Only of this account."),
    ):
        command = option(command)
    return command


@click.group()
def quality() -> None:
    """What the checks found and set aside: look at it, try it again, give it up."""


@quality.command("list")
@_chosen
@click.pass_obj
@click.option("--json", "as_json", is_flag=True, help="One JSON list instead of a table.")
def list_(warehouse: Warehouse, /, as_json: bool, **options: Any) -> None:
    """What waits in quarantine, by account, dataset, batch and rule; and rejected batches."""
    with warehouse() as engine, engine.connect() as connection:
        groups = quarantine.waiting(connection, Chosen(**options))
    if as_json:
        click.echo(json.dumps([asdict(group) for group in groups], default=str, indent=2))
        return
    rows = [
        [
            g.account,
            g.dataset,
            str(g.batch_id),
            g.rule or "whole batch",
            f"{g.rows:,}",
            minute(g.since),
            _short(g.reason),
        ]
        for g in groups
    ]
    heading = ["account", "dataset", "batch", "rule", "rows", "since (UTC)", "why"]
    click.echo(table(heading, rows, right=frozenset({4})) if rows else NOTHING)


@quality.command()
@_chosen
@click.pass_obj
@click.option("--all", "with_settled", is_flag=True, help="Also what was retried, discarded, or warned of earlier.")
@click.option("--most", default=50, show_default=True, type=click.IntRange(1), help="Rows at most.")
@click.option("--with-words", is_flag=True, help="Also lines as received: personal data.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list instead of a table.")
def show(
    warehouse: Warehouse, /, with_settled: bool, most: int, with_words: bool, as_json: bool, **options: Any
) -> None:
    """Single rows: their key, the rule they broke, the value it looked at; the newest first.

    Rows in quarantine, and rows that were published all the same because their rule only warns.
    """
    with warehouse() as engine, engine.connect() as connection:
        found = quarantine.entries(connection, Chosen(**options), with_settled=with_settled, most=most)
        rejected = [g for g in quarantine.waiting(connection, Chosen(**options)) if g.rule is None]
    if as_json:
        told = [{k: v for k, v in asdict(entry).items() if with_words or k != "content"} for entry in found]
        click.echo(json.dumps(told, default=str, indent=2))
        return
    for group in rejected:
        click.echo(
            f"Batch {group.batch_id} of {group.dataset}, account {group.account} ({group.scope}), is rejected: "
            f"{group.reason}."
        )
    rows = [
        [e.account, e.dataset, str(e.batch_id), e.row_key, e.rule, _short(e.value), _short(e.reason), _fate(e)]
        + ([e.content or ""] if with_words else [])
        for e in found
    ]
    heading = ["account", "dataset", "batch", "row", "rule", "value", "why", "state"]
    if rows:
        click.echo(table([*heading, *(["as received"] if with_words else [])], rows))
    elif not rejected:
        click.echo(NOTHING_TO_SHOW)
    if len(found) == most:
        click.echo(f"Only the newest {most} rows: --most shows more.")


@quality.command()
@_chosen
@click.pass_obj
@click.option("--all", "with_passed", is_flag=True, help="Also checks that passed.")
@click.option("--most", default=50, show_default=True, type=click.IntRange(1), help="Results at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list instead of a table.")
def results(warehouse: Warehouse, /, with_passed: bool, most: int, as_json: bool, **options: Any) -> None:
    """What checks found of batches, and of how sources and answers stand; the newest first."""
    with warehouse() as engine, engine.connect() as connection:
        asked = {**options, "with_passed": with_passed, "most": most}
        found = [dict(row) for row in run_step(connection, "quality/results.sql", asked).mappings()]
    if as_json:
        click.echo(json.dumps(found, default=str, indent=2))
        return
    rows = [
        [
            minute(each["as_of"]),
            each["account"],
            each["dataset"],
            each["scope"],
            str(each["batch_id"] or ""),
            each["rule"],
            each["state"],
            "nothing" if each["observed"] is None else f"{each['observed']:,.2f}",
            _short(each["expected"]),
            each["cause"] or "",
        ]
        for each in found
    ]
    heading = ["as of (UTC)", "account", "dataset", "scope", "batch", "rule", "state", "found", "expected", "why"]
    click.echo(table(heading, rows, right=frozenset({7})) if rows else NOTHING_FOUND)


@quality.command()
@_chosen
@click.pass_obj
@click.option("--all", "everything", is_flag=True, help="Whatever waits.")
@click.option("--accept", "because", metavar="WHY", help="Publish a rejected batch all the same (with --batch).")
def retry(warehouse: Warehouse, /, everything: bool, because: str | None, **options: Any) -> None:
    """Put rows through the same path again: after a change of a rule, a mapping or a reader.

    They are landed as a new batch, checked by the rules of now, and published. A rejected batch is checked anew as
    it is; --accept publishes it without what its whole-batch rules say. Safe to repeat.
    """
    from amazon_support.orchestration import hooks

    chosen = _some(options, everything)
    if because is not None:
        _accept(warehouse, chosen.batch_id, because)
        return
    with warehouse() as engine:
        done = quarantine.retry(engine, settings.load(), chosen, as_of=datetime.now(UTC), buyer_key=hooks.buyer_key)
    if not done.verdicts and not done.troubles:
        click.echo("Nothing to try again: nothing waits, or its batch is not published yet.")
    for verdict in done.verdicts:
        passed = 0 if verdict.rejected_because else verdict.rows - verdict.quarantined
        told = f"batch {verdict.batch_id}: {passed:,} of {verdict.rows:,} rows passed"
        if not verdict.rows:
            told = f"batch {verdict.batch_id}: no line can be read yet"
        broken = ", ".join(f"{rule} {count:,}" for rule, count in verdict.broken_rules.items())
        click.echo(f"{verdict.dataset}, account {verdict.account}, {told}{f'; broke {broken}' if broken else ''}")
    if done.troubles:
        raise click.ClickException("\n".join(done.troubles))


@quality.command()
@_chosen
@click.pass_obj
@click.option("--all", "everything", is_flag=True, help="Whatever waits.")
@click.option("--because", required=True, metavar="WHY", help="Kept with the rows; no personal data.")
def discard(warehouse: Warehouse, /, everything: bool, because: str, **options: Any) -> None:
    """Give rows up: they stay out for good, and lines that could not be landed are forgotten."""
    with warehouse() as engine, engine.begin() as connection:
        rows, batches = quarantine.discard(connection, _some(options, everything), because)
    told = f", and the batches {', '.join(map(str, batches))}" if batches else ""
    click.echo(f"{rows:,} rows are given up{told}.")


def _accept(warehouse: Warehouse, batch_id: int | None, because: str) -> None:
    if batch_id is None:
        raise click.UsageError("--accept is for one batch: name it with --batch.")
    with warehouse() as engine:
        accepted = quarantine.accept(engine, settings.load(), batch_id, because)
    if not accepted:
        raise click.ClickException(f"No rejected batch {batch_id} waits: see quality list.")
    click.echo(f"Batch {batch_id} is published.")


def _some(options: dict[str, Any], everything: bool) -> Chosen:
    if everything == any(value is not None for value in options.values()):
        raise click.UsageError("Say which: --account, --dataset, --rule, --batch; or --all.")
    return Chosen(**options)


def _short(words: str | None) -> str:
    words = " ".join((words or "").split())
    return words if len(words) <= 60 else words[:59] + "…"


def _fate(entry: quarantine.Entry) -> str:
    if entry.quarantine_id is None:
        return "warned, published"
    if entry.settled_as == "retried":
        return f"retried in batch {entry.retry_batch_id}" if entry.retry_batch_id else "retried: means nothing now"
    return f"discarded: {_short(entry.settled_because)}" if entry.settled_as else "waits"
