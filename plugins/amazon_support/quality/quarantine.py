"""Quarantine that can be worked: what waits there, trying it again, giving it up, forgetting what was received."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine

from amazon_support.quality import again
from amazon_support.quality.check import BatchVerdict, check
from amazon_support.settings import Settings
from amazon_support.sources.errors import BadDocument
from amazon_support.warehouse import land, run_step


@dataclass(frozen=True)
class Chosen:
    """Which rows; None: any."""

    account: str | None = None
    dataset: str | None = None
    rule: str | None = None
    batch_id: int | None = None


@dataclass(frozen=True)
class Group:
    """What waits for one reason.

    Attributes:
        rule: that the rows broke; None: the batch as a whole is rejected, and `rows` is all it brought.
        since: aware UTC.
        reason: without personal data.
    """

    account: str
    dataset: str
    batch_id: int
    scope: str
    rule: str | None
    rows: int
    since: datetime
    reason: str | None


@dataclass(frozen=True)
class Entry:
    """One row that broke a rule.

    Attributes:
        quarantine_id: None: the rule only warns, so the row was published all the same.
        found_at: aware UTC.
        content: the line as received where it could not be landed; personal data.
    """

    quarantine_id: int | None
    account: str
    dataset: str
    batch_id: int
    row_key: str
    rule: str
    value: str | None
    reason: str | None
    found_at: datetime
    settled_at: datetime | None
    settled_as: str | None
    settled_because: str | None
    retry_batch_id: int | None
    content: str | None


@dataclass(frozen=True)
class Retried:
    """What became of a retry.

    Attributes:
        verdicts: of the batches that were checked: those of the retry, and any other that waited for its check.
        troubles: one sentence for each batch whose rows stay as they are.
    """

    verdicts: list[BatchVerdict] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


def waiting(connection: Connection, chosen: Chosen) -> list[Group]:
    """What waits for a person, by account, dataset, batch and rule."""
    return [Group(**row) for row in run_step(connection, "quality/open_groups.sql", vars(chosen)).mappings()]


def entries(connection: Connection, chosen: Chosen, *, with_settled: bool = False, most: int = 100) -> list[Entry]:
    """Single rows: what waits in quarantine, and what the newest checks warn of; the newest first.

    Args:
        with_settled: also what was settled, and warnings of earlier checks; these always of a batch that is named.
    """
    parameters = {**vars(chosen), "with_settled": with_settled, "most": most}
    return [Entry(**row) for row in run_step(connection, "quality/entries.sql", parameters).mappings()]


def retry(
    engine: Engine, settings: Settings, chosen: Chosen, *, as_of: datetime, buyer_key: Callable[[], str]
) -> Retried:
    """Puts rows that wait through the same path again: landed as a new batch, checked, published.

    Each batch's rows are claimed and landed in one transaction, so nothing is lost or tried twice, whatever dies; a
    retry killed after it is finished by the next run of the dataset. Rejected batches are checked anew as they are.

    Args:
        as_of: aware UTC, for the checks.
        buyer_key: gives the secret for the keyed hash that tells buyers apart.
    """
    retried = Retried()
    with engine.begin() as connection:
        unchecked = run_step(connection, "quality/uncheck_batches.sql", vars(chosen)).all() if not chosen.rule else []
        batches = run_step(connection, "quality/batches_to_retry.sql", vars(chosen)).mappings().all()
    datasets = {batch.dataset for batch in unchecked}
    for batch in batches:
        try:
            with engine.begin() as connection:
                _land_again(connection, batch, chosen.rule, settings, buyer_key)
        except (again.CannotRetry, BadDocument) as problem:
            retried.troubles.append(str(problem))
        else:
            datasets.add(batch["dataset"])
    for dataset in sorted(datasets):
        retried.verdicts.extend(check(engine, dataset, settings, as_of=as_of))
        with engine.begin() as connection:
            land.PUBLISH[dataset](connection, settings)
    return retried


def accept(engine: Engine, settings: Settings, batch_id: int, because: str) -> bool:
    """Publishes a rejected batch all the same; rows of it that are in quarantine stay there.

    Returns: False if no rejected batch of that number waits.
    """
    with engine.begin() as connection:
        parameters = {"batch_id": batch_id, "because": because}
        dataset = run_step(connection, "quality/accept_batch.sql", parameters).scalar()
        if dataset is not None:
            land.PUBLISH[dataset](connection, settings)
    return dataset is not None


def discard(connection: Connection, chosen: Chosen, because: str) -> tuple[int, list[int]]:
    """Gives up what waits: rows are settled, and lines that could not be landed are forgotten.

    Args:
        because: why, without personal data.

    Returns: how many entries, and the ids of the rejected batches.
    """
    parameters = {**vars(chosen), "because": because, "settled_at": datetime.now(UTC)}
    batches = [] if chosen.rule else list(run_step(connection, "quality/discard_batches.sql", parameters).scalars())
    return run_step(connection, "quality/discard_rows.sql", parameters).scalar_one(), batches


def forget(connection: Connection, *, before: datetime) -> int:
    """Forgets the lines as received of what was set aside before then (aware UTC); the entries stay.

    Returns: how many lines.
    """
    lines: int = run_step(connection, "quality/forget.sql", {"before": before}).scalar_one()
    return lines


def tidy(connection: Connection, *, settled_before: datetime, checked_before: datetime) -> tuple[int, int]:
    """Deletes entries that were settled, and results of checks made for instants, before then (both aware UTC).

    Returns: how many entries, and how many results.
    """
    entries: int = run_step(connection, "quality/tidy_quarantine.sql", {"before": settled_before}).scalar_one()
    results: int = run_step(connection, "quality/tidy_results.sql", {"before": checked_before}).scalar_one()
    return entries, results


def _land_again(
    connection: Connection, batch: Any, rule: str | None, settings: Settings, buyer_key: Callable[[], str]
) -> None:
    if batch["dataset"] not in again.LAND:
        raise again.CannotRetry(
            f"Batch {batch['batch_id']}: rows of {batch['dataset']} are not landed again; run the job that made them."
        )
    claimed = run_step(connection, "quality/claim_rows.sql", {"batch_id": batch["batch_id"], "rule": rule}).all()
    if not claimed:
        return  # somebody else was quicker
    aside = again.Aside(
        **{name: value for name, value in batch.items() if name != "dataset"},
        row_keys=sorted({row.row_key for row in claimed}),
        lines={int(row.row_key.removeprefix("line ")): row.content for row in claimed if row.content is not None},
        settings=settings,
        buyer_key=buyer_key,
    )
    landed = again.LAND[batch["dataset"]](connection, aside)
    settled = {
        "batch_id": aside.batch_id,
        "retry_batch_id": landed.batch_id,
        "row_count": landed.rows,
        "row_keys": sorted({*aside.row_keys, *landed.row_keys}),
        "settled_at": datetime.now(UTC),  # book-keeping: the wall clock
    }
    if landed.batch_id is not None:
        run_step(connection, "quality/mark_retry.sql", settled)
    run_step(connection, "quality/settle_retried.sql", settled)
