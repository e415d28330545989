"""Checks landed batches with Great Expectations inside PostgreSQL: bad rows are set aside, the rest goes on."""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import Connection, Engine

from amazon_support.quality import suites
from amazon_support.settings import Settings
from amazon_support.settings.account_health import health_rules
from amazon_support.warehouse import run_step, sql_text

if TYPE_CHECKING:
    from great_expectations.datasource.fluent import SQLDatasource
    from great_expectations.expectations.expectation import Expectation

# Without this Great Expectations names only the first 20 rows that break a rule.
ALL_ROWS = 2_000_000_000
WHOLE_BATCH = ""  # stands where a row's key would

RULES: "dict[str, Callable[[Settings], list[Expectation]]]" = {
    "orders": lambda settings: suites.orders(list(settings.by_id)),
    "order_report": lambda settings: suites.order_report([m.domain for m in settings.marketplaces]),
    "mail": lambda settings: suites.mail(),
    "mail_reread": lambda settings: suites.mail(),
    "feedback": lambda settings: suites.feedback(list(settings.by_country)),
    "account_health": lambda settings: suites.account_health(list(settings.by_id), health_rules().statuses.known),
    "desk_action": lambda settings: suites.desk_action(),
}

# Datasets whose rows are looked at as another's are.
LIKE = {"mail_reread": "mail"}


class QualityError(Exception):
    """The checks could not be carried out, so nothing is known about the rows; the message names the rule."""


@dataclass(frozen=True)
class BatchVerdict:
    """What the checks say of one batch.

    Attributes:
        rows: landed in the batch.
        quarantined: rows set aside.
        rejected_because: why the whole batch waits for a person; None if it may be published.
        broken_rules: rule -> rows (for a rule on whole batches: 1) that broke it, warnings too.
    """

    batch_id: int
    account: str
    dataset: str
    scope: str
    rows: int
    quarantined: int = 0
    rejected_because: str | None = None
    broken_rules: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Finding:
    """One rule, and the keys of the rows that broke it by batch (or WHOLE_BATCH)."""

    rule: str
    severity: str
    broken: dict[int, set[str]]


def check(engine: Engine, dataset: str, settings: Settings, *, as_of: datetime) -> list[BatchVerdict]:
    """Checks every landed, unchecked batch of the dataset: one run, however many accounts landed something.

    Rows that break a rejecting rule are named in ops.quarantine, results go to ops.check_result, and ops.batch
    says checked or rejected, all in one transaction.

    Args:
        dataset: one of RULES.
        as_of: aware UTC; what "in the future" means for a batch without a window.

    Raises: QualityError if a rule could not be evaluated; the batches stay unchecked.
    """
    with engine.begin() as connection:
        batches = run_step(connection, "land/unchecked_batches.sql", {"dataset": dataset}).mappings().all()
        landed = [BatchVerdict(b["batch_id"], b["account"], dataset, b["scope"], b["row_count"]) for b in batches]
        parameters = {
            "batch_ids": [batch.batch_id for batch in landed],
            "as_of": as_of,
            "smallest_judged": suites.SMALLEST_JUDGED,
        }
        rows, whole = (
            _bound(connection, name, parameters)
            for name in (f"{LIKE.get(dataset, dataset)}_to_check", "batches_to_check")
        )
    if not landed:
        return []
    rules = RULES[dataset](settings)
    with _data_source(engine) as source:
        findings = _validate(source, rows, rules, ["batch_id", "row_key"])
        findings += _validate(source, whole, suites.batches(), ["batch_id"])
    with engine.begin() as connection:
        return _record(connection, dataset, landed, findings)


# ---------- Great Expectations


@contextmanager
def _data_source(engine: Engine) -> "Iterator[SQLDatasource]":
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    with warnings.catch_warnings():
        # It recommends add_postgres, which refuses Unix sockets.
        warnings.filterwarnings("ignore", message="You are using a generic SQLDatasource")
        source = context.data_sources.add_sql(
            "warehouse",
            connection_string=engine.url.render_as_string(hide_password=False),
            create_temp_table=True,  # types the rows once, not once a rule
        )
    try:
        yield source
    finally:
        # Both hold connections, and with them temporary tables.
        source.get_execution_engine().close()
        source.get_engine().dispose()


def _bound(connection: Connection, name: str, parameters: dict[str, Any]) -> str:
    # Great Expectations takes a query as text only, and only one that starts with select; the driver writes the
    # values into it, correctly quoted.
    driver: Any = connection.connection.driver_connection
    query = psycopg.ClientCursor(driver).mogrify(sql_text(f"land/{name}.sql"), parameters)
    return "\n".join(("select * from (", query, ") as landed"))


def _validate(source: "SQLDatasource", query: str, rules: "list[Expectation]", key: list[str]) -> list[_Finding]:
    import great_expectations as gx

    name = "_and_".join(key)
    rows = source.add_query_asset(name, query=query).add_batch_definition_whole_table(name).get_batch()
    wanted = {
        "result_format": "COMPLETE",
        "unexpected_index_column_names": key,
        "partial_unexpected_count": ALL_ROWS,
    }
    outcome = rows.validate(gx.ExpectationSuite(name, expectations=rules), result_format=wanted)
    return [_finding(result) for result in outcome.results]


def _finding(result: Any) -> _Finding:
    rule = result.expectation_config.meta
    broken: dict[int, set[str]] = {}
    for row in result.result.get("unexpected_index_list") or []:
        broken.setdefault(row["batch_id"], set()).add(row.get("row_key", WHOLE_BATCH))
    # A rule that Great Expectations cannot evaluate is no error to it, only a failure without rows.
    named = sum(len(keys) for keys in broken.values())
    counted = 0 if result.result.get("element_count") == 0 else result.result.get("unexpected_count")
    if named != counted:
        raise QualityError(
            f"Rule {rule['rule']} could not be evaluated, or not for every row: compare its column in "
            "quality/suites.py with include/sql/land/*_to_check.sql, then run the check again."
        )
    return _Finding(rule["rule"], rule["severity"], broken)


# ---------- verdicts


def _record(
    connection: Connection, dataset: str, landed: list[BatchVerdict], findings: list[_Finding]
) -> list[BatchVerdict]:
    ids = [batch.batch_id for batch in landed]
    # Another run may have been quicker: its word stands.
    ours = set(run_step(connection, "land/lock_unchecked.sql", {"batch_ids": ids}).scalars())
    verdicts = [_verdict(batch, findings) for batch in landed if batch.batch_id in ours]
    checked_at = datetime.now(UTC)  # book-keeping: the wall clock
    run_step(connection, "land/check_results.sql", _results(verdicts, findings, dataset) | {"checked_at": checked_at})
    run_step(connection, "land/quarantine_rows.sql", _set_aside(ours, findings) | {"checked_at": checked_at})
    run_step(
        connection,
        "land/batches_checked.sql",
        {
            "batch_ids": [verdict.batch_id for verdict in verdicts],
            "reasons": [verdict.rejected_because for verdict in verdicts],
            "checked_at": checked_at,
        },
    )
    return verdicts


def _verdict(batch: BatchVerdict, findings: list[_Finding]) -> BatchVerdict:
    broken = {f.rule: f.broken[batch.batch_id] for f in findings if batch.batch_id in f.broken}
    rejecting = {f.rule: broken[f.rule] for f in findings if f.severity == suites.REJECT and f.rule in broken}
    set_aside = set().union(*rejecting.values()) - {WHOLE_BATCH}
    reasons = [rule for rule, keys in rejecting.items() if WHOLE_BATCH in keys]
    if batch.rows >= suites.SMALLEST_JUDGED and len(set_aside) > suites.MOST_REJECTED * batch.rows:
        rules = ", ".join(f"{rule} {len(keys)}" for rule, keys in rejecting.items() if WHOLE_BATCH not in keys)
        reasons.append(f"{len(set_aside)} of {batch.rows} rows broke rejecting rules ({rules})")
    return replace(
        batch,
        quarantined=len(set_aside),
        rejected_because="; ".join(reasons) or None,
        broken_rules={rule: len(keys) for rule, keys in broken.items()},
    )


def _results(verdicts: list[BatchVerdict], findings: list[_Finding], dataset: str) -> dict[str, Any]:
    entries = [
        (verdict.batch_id, finding.rule, finding.severity, verdict.rows, verdict.broken_rules.get(finding.rule, 0))
        for verdict in verdicts
        for finding in findings
    ]
    names = ("batch_ids", "rules", "severities", "row_counts", "failed_counts")
    return {"dataset": dataset} | _columns(names, entries)


def _set_aside(ours: set[int], findings: list[_Finding]) -> dict[str, Any]:
    entries = [
        (batch_id, key, finding.rule)
        for finding in findings
        if finding.severity == suites.REJECT
        for batch_id, keys in finding.broken.items()
        if batch_id in ours
        for key in sorted(keys)
        if key != WHOLE_BATCH
    ]
    return _columns(("batch_ids", "row_keys", "rules"), entries)


def _columns(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}
