"""Great Expectations' Data Docs of a day: every dataset with its rules, how often each was broken, and where."""

import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from amazon_support.quality import gx, standing, suites
from amazon_support.quality.check import RULES
from amazon_support.settings import Settings
from amazon_support.warehouse import run_step

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.expectations.expectation import Expectation

INDEX = "index.html"
# The pages ask other hosts for their looks. Our web page keeps those out; then this is what tells passed from failed.
STYLE = """
<style>
body { font-family: sans-serif; margin: 1rem }
td, th { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top }
.text-success::after { content: "passed"; color: #176f2c; font: 1rem sans-serif }
.text-danger::after { content: "FAILED"; color: #b00020; font: bold 1rem sans-serif }
footer, .navbar, .ge-navigation-sidebar-container, .ge-actions, .card:has([type=radio]) { display: none }
</style>
"""
Row = Mapping[str, Any]


def write_docs(connection: Connection, settings: Settings, folder: Path, *, as_of: datetime) -> list[str]:
    """Writes the site of the day before `as_of` (aware UTC) into the folder, in place of the one that is there.

    Nothing is checked again: the pages show what ops.check_result says. They hold no personal data.

    Returns: the datasets that have a page.
    """
    results: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in run_step(connection, "quality/results_of_day.sql", {"as_of": as_of}).mappings():
        results[row["dataset"]][row["rule"]] = dict(row)
    folder.parent.mkdir(parents=True, exist_ok=True)
    built = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _build(built, {dataset: _of_dataset(dataset, of, settings) for dataset, of in results.items()}, as_of)
        built.chmod(0o755)  # the web server may be another user
        shutil.rmtree(folder, ignore_errors=True)
        built.rename(folder)
    finally:
        shutil.rmtree(built, ignore_errors=True)
    return sorted(results)


def pages(folder: Path) -> dict[str, str]:
    """By dataset its page, as a path below the folder; none where no site was written."""
    found = sorted(folder.glob("validations/*/*/*/*.html"))
    return {page.relative_to(folder).parts[1]: page.relative_to(folder).as_posix() for page in found}


def _of_dataset(
    dataset: str, results: Mapping[str, Row], settings: Settings
) -> "list[tuple[Expectation, int, int, Row]]":
    """Each rule that was checked, with how many things it looked at, how many broke it, and what was told."""
    of_rows = RULES[dataset](settings) if dataset in RULES else []
    checks = {each.rules: each for each in (*standing.HOURLY, *standing.DAILY) if each.dataset == dataset}
    of_others = suites.batches() + [rule for each in checks for rule in each()]
    found = [(rule, results.get(gx.name_of(rule))) for rule in of_rows]
    judged = [(rule, row["row_count"], row["failed_count"], row) for rule, row in found if row]
    others = [(rule, results.get(gx.name_of(rule))) for rule in of_others]
    return judged + [(rule, row["checks"], row["troubles"], row) for rule, row in others if row]


def _build(folder: Path, pages: "Mapping[str, list[tuple[Expectation, int, int, Row]]]", as_of: datetime) -> None:
    from great_expectations.core import ExpectationSuite, RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    context = gx.new_context()
    for site in list(context.variables.data_docs_sites or {}):
        context.delete_data_docs_site(site)
    context.add_data_docs_site(
        "day",
        {
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        },
    )
    run = RunIdentifier(run_name=f"{as_of:%Y-%m-%d}", run_time=as_of)
    for dataset, judged in pages.items():
        for rule, *_ in judged:
            rule.description = f"{gx.name_of(rule)}: {gx.expected_of(rule)}"
        context.suites.add(ExpectationSuite(dataset, expectations=[rule for rule, *_ in judged]))
        where = ValidationResultIdentifier(ExpectationSuiteIdentifier(dataset), run, "all-accounts")
        context.validation_results_store.set(where, _result(dataset, judged, run))
    context.build_data_docs()
    for page in folder.rglob("*.html"):
        page.write_text(page.read_text("utf-8").replace("</head>", f"{STYLE}</head>", 1), "utf-8")


def _result(
    dataset: str, judged: "Iterable[tuple[Expectation, int, int, Row]]", run: Any
) -> "ExpectationSuiteValidationResult":
    import great_expectations
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult

    results = []
    for rule, looked_at, broke, row in judged:
        share = 100 * broke / looked_at if looked_at else 0
        told = {
            "element_count": looked_at,
            "unexpected_count": broke,
            "unexpected_percent": share,
            "unexpected_percent_total": share,
            "unexpected_percent_nonmissing": share,
            "missing_count": 0,
            "missing_percent": 0,
            "partial_unexpected_list": list(row["places"]),
        }
        results.append(
            ExpectationValidationResult(
                success=not row["troubles"],
                expectation_config=rule.configuration,
                result=told,
                meta={},
                exception_info={"raised_exception": False, "exception_traceback": None, "exception_message": None},
            )
        )
    passed = sum(bool(result.success) for result in results)
    return ExpectationSuiteValidationResult(
        success=passed == len(results),
        results=results,
        suite_name=dataset,
        suite_parameters={},
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": passed,
            "unsuccessful_expectations": len(results) - passed,
            "success_percent": 100 * passed / len(results) if results else 100,
        },
        meta={"run_id": run, "great_expectations_version": great_expectations.__version__},
    )
