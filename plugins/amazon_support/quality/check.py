"""Checks landed batches with Great Expectations inside PostgreSQL: bad rows are set aside, the rest goes on."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine

from amazon_support.quality import gx, suites
from amazon_support.settings import Settings
from amazon_support.settings.account_health import health_rules
from amazon_support.warehouse import run_step

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

WHOLE_BATCH = ""  # stands where a row's key would
LONGEST_VALUE = 80  # characters kept of what a rule looked at

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
    """One rule, and what it found.

    Attributes:
        broken: by batch, the rows that broke it by their key (or WHOLE_BATCH), and what the rule looked at.
        observed: by batch, of a rule on whole batches.
    """

    rule: str
    severity: str
    expected: str
    tolerated: float
    broken: dict[int, dict[str, Any]]
    observed: dict[int, Any]

    def state(self, batch: BatchVerdict) -> str:
        broken = self.broken.get(batch.batch_id, {})
        if not broken:
            return "passed"
        if self.severity == suites.REJECT:
            return "rejected"
        return "tolerated" if WHOLE_BATCH not in broken and len(broken) <= self.tolerated * batch.rows else "warned"


def check(
    engine: Engine, dataset: str, settings: Settings, *, as_of: datetime, run: str | None = None
) -> list[BatchVerdict]:
    """Checks every landed, unchecked batch of the dataset: one run, however many accounts landed something.

    Rows that break a rejecting rule are named in ops.quarantine, results go to ops.check_result, and ops.batch
    says checked or rejected, all in one transaction.

    Args:
        dataset: one of RULES.
        as_of: aware UTC; what "in the future" means for a batch without a window.
        run: Airflow's, to be told with the rows set aside.

    Raises: QualityError if a rule could not be evaluated; the batches stay unchecked.
    """
    with engine.begin() as connection:
        batches = run_step(connection, "land/unchecked_batches.sql", {"dataset": dataset}).mappings().all()
        landed = [BatchVerdict(b["batch_id"], b["account"], dataset, b["scope"], b["row_count"]) for b in batches]
        if not landed:
            return []
        parameters = {
            "batch_ids": [batch.batch_id for batch in landed],
            "as_of": as_of,
            "smallest_judged": suites.SMALLEST_JUDGED,
        }
        rows = gx.bound(connection, f"land/{LIKE.get(dataset, dataset)}_to_check.sql", parameters)
        whole = [dict(b) for b in run_step(connection, "land/batches_to_check.sql", parameters).mappings()]
    with gx.data_source(engine) as source:
        rules, key = RULES[dataset](settings), ["batch_id", "row_key"]
        findings = [_of_rows(found) for found in gx.validate(source, rows, rules, key)]
        facts = gx.as_query(whole, "batch_id")
        findings += [_of_batches(found, whole) for found in gx.validate(source, facts, suites.batches(), ["batch_id"])]
    with engine.begin() as connection:
        return _record(connection, landed, findings, as_of, run)


def rejections(rejected: Sequence[BatchVerdict]) -> str:
    """One sentence on rejected batches, and the command to look closer."""
    first, *others = rejected
    more = f" (and {len(others)} more batches)" if others else ""
    return (
        f"Batch {first.batch_id} of {first.dataset}, account {first.account} ({first.scope}), waits for a person"
        f"{more}: {first.rejected_because}. Look closer: python -m amazon_support quality show --batch {first.batch_id}"
    )


def _of_rows(found: gx.Found) -> _Finding:
    broken: dict[int, dict[str, Any]] = {}
    for row in found.broken:
        broken.setdefault(row["batch_id"], {})[row["row_key"]] = row.get(found.column)
    return _Finding(**found.said, broken=broken, observed={})


def _of_batches(found: gx.Found, whole: list[dict[str, Any]]) -> _Finding:
    broken = {row["batch_id"]: {WHOLE_BATCH: row.get(found.column)} for row in found.broken}
    return _Finding(**found.said, broken=broken, observed={b["batch_id"]: b[found.column] for b in whole})


# ---------- verdicts


def _record(
    connection: Connection, landed: list[BatchVerdict], findings: list[_Finding], as_of: datetime, run: str | None
) -> list[BatchVerdict]:
    ids = [batch.batch_id for batch in landed]
    # Another run may have been quicker: its word stands.
    ours = set(run_step(connection, "land/lock_unchecked.sql", {"batch_ids": ids}).scalars())
    verdicts = [_verdict(batch, findings) for batch in landed if batch.batch_id in ours]
    checked_at = datetime.now(UTC)  # book-keeping: the wall clock
    when = {"as_of": as_of, "checked_at": checked_at}
    run_step(connection, "land/check_results.sql", _results(verdicts, findings) | when)
    run_step(connection, "land/quarantine_rows.sql", _set_aside(ours, findings) | when | {"run": run})
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
    set_aside: set[str] = set().union(*rejecting.values()) - {WHOLE_BATCH}
    reasons = [f"{f.rule} ({f.expected} expected)" for f in findings if WHOLE_BATCH in rejecting.get(f.rule, {})]
    if batch.rows >= suites.SMALLEST_JUDGED and len(set_aside) > suites.MOST_REJECTED * batch.rows:
        rules = ", ".join(f"{rule} {len(keys)}" for rule, keys in rejecting.items() if WHOLE_BATCH not in keys)
        reasons.append(f"{len(set_aside)} of {batch.rows} rows broke rejecting rules ({rules})")
    return replace(
        batch,
        quarantined=len(set_aside),
        rejected_because="; ".join(reasons) or None,
        broken_rules={rule: len(keys) for rule, keys in broken.items()},
    )


def _results(verdicts: list[BatchVerdict], findings: list[_Finding]) -> dict[str, Any]:
    entries = []
    for verdict in verdicts:
        for finding in findings:
            failed = verdict.broken_rules.get(finding.rule, 0)
            observed = finding.observed.get(verdict.batch_id) if finding.observed else failed
            observed = None if observed is None else Decimal(observed)
            told = (finding.rule, finding.severity, verdict.rows, failed, observed, finding.expected)
            entries.append((verdict.batch_id, *told, finding.state(verdict), _warned_rows(finding, verdict.batch_id)))
    names = (
        "batch_ids", "rules", "severities", "row_counts", "failed_counts", "observed", "expected", "states",
        "broken_rows",
    )  # fmt: skip
    return _columns(names, entries)


def _warned_rows(finding: _Finding, batch_id: int) -> str | None:
    """JSON: every row of the batch that broke a rule that only warns, and what it looked at."""
    broken = finding.broken.get(batch_id, {})
    if finding.severity != suites.WARN or not broken or WHOLE_BATCH in broken:
        return None
    return json.dumps({key: _value(value) for key, value in sorted(broken.items())})


def _value(value: Any) -> str | None:
    if isinstance(value, Decimal):
        value = f"{value.normalize():f}"
    return None if value is None else str(value)[:LONGEST_VALUE]


def _set_aside(ours: set[int], findings: list[_Finding]) -> dict[str, Any]:
    entries = [
        (batch_id, key, finding.rule, _value(value))
        for finding in findings
        if finding.severity == suites.REJECT
        for batch_id, rows in finding.broken.items()
        if batch_id in ours
        for key, value in sorted(rows.items())
        if key != WHOLE_BATCH
    ]
    return _columns(("batch_ids", "row_keys", "rules", "values"), entries)


def _columns(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}
