"""Great Expectations inside PostgreSQL: rules on the rows of a query, and which rows broke them."""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import Connection, Engine

from amazon_support.warehouse import sql_text

if TYPE_CHECKING:
    from great_expectations.data_context import EphemeralDataContext
    from great_expectations.datasource.fluent import SQLDatasource
    from great_expectations.expectations.expectation import Expectation

# Without this Great Expectations names only the first 20 rows that break a rule.
ALL_ROWS = 2_000_000_000


class QualityError(Exception):
    """The checks could not be carried out, so nothing is known about the rows; the message names the rule."""


@dataclass(frozen=True)
class Found:
    """What a rule found.

    Attributes:
        said: what suites.py says of the rule.
        column: that it looked at.
        broken: of each row that broke it the key and the column, by name.
    """

    said: dict[str, Any]
    column: str
    broken: list[dict[str, Any]]


@contextmanager
def data_source(engine: Engine) -> "Iterator[SQLDatasource]":
    """The warehouse, as Great Expectations knows it."""
    sources = _context().data_sources
    with warnings.catch_warnings():
        # It recommends add_postgres, which refuses Unix sockets.
        warnings.filterwarnings("ignore", message="You are using a generic SQLDatasource")
        source = sources.add_sql(
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
        sources.delete(source.name)


def new_context() -> "EphemeralDataContext":
    """What Great Expectations works in; nothing of it is a project of files."""
    import great_expectations

    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return context


_context = cache(new_context)  # one a process, whatever is checked


def bound(connection: Connection, name: str, parameters: dict[str, Any]) -> str:
    """The text of an SQL file with its parameters, as a query that starts with select.

    Great Expectations takes a query as text only, and only such; the driver writes the values into it, quoted.
    """
    return _select(connection, sql_text(name), parameters)


def as_query(rows: list[dict[str, Any]], key: str) -> str:
    """Few rows of numbers as a query that gives them. key: the column that is a whole number."""
    values = json.dumps(rows, default=float)
    names = ", ".join(f"{name} {'bigint' if name == key else 'numeric'}" for name in rows[0])
    return f"select * from jsonb_to_recordset('{values}'::jsonb) as facts ({names})"  # noqa: S608


def validate(source: "SQLDatasource", query: str, rules: "list[Expectation]", key: list[str]) -> list[Found]:
    """What each rule finds in the rows of the query.

    Args:
        key: columns that name a row.

    Raises: QualityError if a rule could not be evaluated.
    """
    from great_expectations.validator.v1_validator import Validator

    name = f"rows_{len(source.assets)}"
    # Not the batch's own validate(): it types the rows into another temporary table each time.
    rows = Validator(source.add_query_asset(name, query=query).add_batch_definition_whole_table(name))
    # One pass over all rows tells which rules were broken; only those are asked for their rows.
    passed = {
        found.expectation_config.meta["rule"] for found in _validate(rows, rules, "BOOLEAN_ONLY") if found.success
    }
    which = {
        "result_format": "COMPLETE",
        "unexpected_index_column_names": key,
        "partial_unexpected_count": ALL_ROWS,
    }
    broken = [_found(result) for result in _validate(rows, [r for r in rules if name_of(r) not in passed], which)]
    found = {each.said["rule"]: each for each in broken}
    return [found.get(name_of(rule)) or Found(_said(rule), _column(rule), []) for rule in rules]


def name_of(rule: "Expectation") -> str:
    """The rule's name in suites.py."""
    return str(_said(rule)["rule"])


def expected_of(rule: "Expectation") -> str:
    """What the rule expects, in words."""
    return str(_said(rule)["expected"])


def _validate(rows: Any, rules: "list[Expectation]", result_format: Any) -> list[Any]:
    import great_expectations

    if not rules:
        return []
    rows.result_format = result_format
    suite = great_expectations.ExpectationSuite("rules", expectations=rules)
    return list(rows.validate_expectation_suite(suite).results)


def _said(rule: Any) -> dict[str, Any]:
    return dict(rule.meta)


def _column(rule: Any) -> str:
    return str(rule.column)


def _select(connection: Connection, query: str, parameters: dict[str, Any]) -> str:
    driver: Any = connection.connection.driver_connection
    return "\n".join(("select * from (", psycopg.ClientCursor(driver).mogrify(query, parameters), ") as landed"))


def _found(result: Any) -> Found:
    said, column = result.expectation_config.meta, result.expectation_config.kwargs["column"]
    broken = result.result.get("unexpected_index_list") or []
    # A rule that Great Expectations cannot evaluate is no error to it, only a failure without rows.
    counted = 0 if result.result.get("element_count") == 0 else result.result.get("unexpected_count")
    if len(broken) != counted:
        raise QualityError(
            f"Rule {said['rule']} could not be evaluated, or not for every row: compare its column in "
            "quality/suites.py with include/sql/land/*_to_check.sql, then run the check again."
        )
    return Found(dict(said), column, broken)
