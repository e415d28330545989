"""A report is ordered once, waited for without a worker, and downloaded whole, whatever dies on the way."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from amazon_shop import DAY, MINUTE, NOON, SETTINGS, Shop, order, running
from sqlalchemy import Engine

from amazon_support.sources import reports
from amazon_support.sources.errors import BadDocument, ComeBackAt, SourceError, Unavailable
from amazon_support.sources.memory import ShortMemory
from amazon_support.sources.order_history import REPORT
from amazon_support.sources.rates import PATIENCE
from amazon_support.sources.reports import ReportRequest
from amazon_support.warehouse.land import land_order_report
from amazon_support.window import Window

DE = SETTINGS.by_country["DE"].marketplace_id
REQUEST = ReportRequest(REPORT, (DE,), NOON - 10 * DAY, NOON)
EMPTY = ReportRequest(REPORT, (DE,), NOON - 200 * DAY, NOON - 190 * DAY)


@pytest.fixture
def shop(warehouse: Engine, tmp_path: Path) -> Iterator[Shop]:
    """Two orders changed in the last ten days."""
    with running(warehouse, tmp_path / "spool", [order(1, NOON - 2 * DAY), order(2, NOON - DAY)]) as shop:
        yield shop


class Waits:
    """Fetches as a runner does: each attempt in a new process, at the moment it was sent away to."""

    def __init__(self, shop: Shop, memory: Any = None) -> None:
        self.shop = shop
        self.memory = memory or ShortMemory()
        self.pauses: list[float] = []
        self.patience = PATIENCE

    def attempt(self, request: ReportRequest = REQUEST) -> reports.Document | None:
        client = self.shop.client(self.memory, patience=self.patience)
        return reports.fetch(client, self.memory, request, self.shop.folder)

    def fetch(self, request: ReportRequest = REQUEST) -> reports.Document | None:
        while True:
            try:
                return self.attempt(request)
            except ComeBackAt as wait:
                self.pauses.append((wait.moment - self.shop.clock.now).total_seconds())
                self.shop.clock.now = wait.moment


@pytest.fixture
def waits(shop: Shop) -> Waits:
    return Waits(shop)


def words(document: reports.Document | None) -> str:
    assert document is not None
    return document.text("cp1252")


def spooled(shop: Shop) -> list[Path]:
    return list(shop.folder.iterdir()) if shop.folder.exists() else []


# ---------- the usual way


def test_a_report_is_ordered_waited_for_and_downloaded(waits: Waits, shop: Shop) -> None:
    document = waits.fetch()
    assert words(document).count("Teapot") == 2
    assert waits.pauses == [5, 10, 20, 40], "ever longer"
    assert dict(shop.faults.calls) | {"token": 0, "getReport": 0} == {
        "token": 0, "createReport": 1, "getReport": 0, "getReportDocument": 1, "download": 1,
    }  # fmt: skip


def test_the_document_is_readable_by_nobody_else_and_removed_in_the_end(waits: Waits, shop: Shop) -> None:
    waits.fetch()
    with (
        pytest.raises(RuntimeError),
        reports.fetched(shop.client(waits.memory), waits.memory, REQUEST, shop.folder) as document,
    ):
        assert document is not None
        assert document.path.stat().st_mode & 0o077 == 0
        raise RuntimeError("loading failed")
    assert document.path not in spooled(shop)


def test_no_data_is_an_answer(waits: Waits) -> None:
    assert waits.fetch(EMPTY) is None


def test_another_request_is_another_report(waits: Waits, shop: Shop) -> None:
    waits.fetch()
    waits.fetch(EMPTY)
    assert shop.faults.calls["createReport"] == 2


def test_once_forgotten_the_same_request_is_ordered_anew(waits: Waits, shop: Shop) -> None:
    waits.fetch()
    waits.fetch()
    assert shop.faults.calls["createReport"] == 1, "loading may have been killed: the same report again"
    reports.forget(waits.memory, REQUEST)
    waits.fetch()
    assert shop.faults.calls["createReport"] == 2


# ---------- killed on the way


class Killed(BaseException):
    """As kill -9: nothing after it is carried out."""


class DyingMemory(ShortMemory):
    """Dies when the n-th value is remembered, before or after it is."""

    def __init__(self, nth: int, *, before: bool) -> None:
        super().__init__()
        self._left, self._before = nth, before

    def set(self, key: str, value: Any) -> None:
        self._left -= 1
        if self._left or not self._before:
            super().set(key, value)
        if self._left == 0:
            raise Killed


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("nth", range(1, 8))
def test_killed_at_any_step_no_second_report_is_ordered(shop: Shop, nth: int, before: bool) -> None:
    waits = Waits(shop, DyingMemory(nth, before=before))
    with pytest.raises(Killed):
        waits.fetch()
    assert words(waits.fetch()).count("Teapot") == 2
    assert shop.faults.calls["createReport"] == 1


def test_an_order_whose_answer_was_lost_is_found_again(waits: Waits, shop: Shop) -> None:
    shop.faults.next("createReport", reset=True, times=9)
    with pytest.raises(Unavailable):
        waits.fetch()
    ordered = shop.faults.calls["createReport"]
    shop.faults._next.clear()
    assert words(waits.fetch()).count("Teapot") == 2
    assert shop.faults.calls["createReport"] == ordered, "found among those that Amazon knows"


def test_an_order_that_was_sent_away_before_it_was_made_is_made_once(waits: Waits, shop: Shop) -> None:
    shop.drain("createReport")
    waits.patience = timedelta(0)
    waits.fetch()
    assert waits.pauses[0] > 50, "for its turn"
    assert shop.faults.calls["createReport"] == 1


# ---------- Amazon fails


def test_a_report_that_failed_is_ordered_once_more(waits: Waits, shop: Shop) -> None:
    shop.faults.report(REPORT, "FATAL", reason="Please try later")
    assert words(waits.fetch()).count("Teapot") == 2
    assert shop.faults.calls["createReport"] == 2


@pytest.mark.parametrize(
    ("reason", "told"),
    [("The\nspan is   too long.", "The span is too long"), (None, "it gave no reason"), ("x" * 5000, "x" * 300)],
)
def test_a_report_that_failed_twice_says_why(waits: Waits, shop: Shop, reason: str | None, told: str) -> None:
    shop.faults.report(REPORT, "FATAL", reason=reason, times=2)
    with pytest.raises(SourceError) as problem:
        waits.fetch()
    assert str(problem.value).endswith(f"{told}.")
    assert "account shop, region eu" in str(problem.value)
    assert shop.faults.calls["createReport"] == 2
    assert spooled(shop) == []


def test_a_day_later_a_person_may_begin_anew(waits: Waits, shop: Shop) -> None:
    shop.faults.report(REPORT, "FATAL", times=2)
    with pytest.raises(SourceError):
        waits.fetch()
    shop.clock.now += DAY
    assert words(waits.fetch()).count("Teapot") == 2


def test_a_report_that_amazon_no_longer_knows_is_ordered_once_more(waits: Waits, shop: Shop) -> None:
    shop.faults.next("getReport", status=404)
    assert words(waits.fetch()).count("Teapot") == 2
    assert shop.faults.calls["createReport"] == 2


def test_a_report_that_is_never_made_is_given_up(waits: Waits, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "LONGEST_MAKING", timedelta(minutes=10))
    queued = {"reportId": "1", "reportType": REPORT, "createdTime": "2026-03-10T12:00:00Z"}
    shop.faults.next("getReport", times=50, body=queued | {"processingStatus": "IN_QUEUE"})
    began = shop.clock.now
    with pytest.raises(SourceError, match="not made within 12 hours"):
        waits.fetch()
    assert shop.clock.now - began < timedelta(minutes=30), "the span, and again for the second"
    assert max(waits.pauses) <= 300


# ---------- the download fails


@pytest.mark.parametrize(
    "fault",
    [{"reset": True}, {"status": 503}, {"status": 403, "body": b"Request has expired"}],
    ids=["reset", "unavailable", "url expired"],
)
def test_a_download_that_broke_off_is_made_again(waits: Waits, shop: Shop, fault: dict[str, Any]) -> None:
    shop.faults.next("download", times=2, **fault)
    document = waits.fetch()
    assert words(document).count("Teapot") == 2
    assert shop.faults.calls["getReportDocument"] == 3, "a new address each time"
    assert document is not None
    assert spooled(shop) == [document.path], "no half of a document is left"


def test_a_download_that_breaks_off_each_time_fails_and_the_report_is_kept(waits: Waits, shop: Shop) -> None:
    shop.faults.next("download", times=3, reset=True)
    with pytest.raises(Unavailable, match="failed 3 times"):
        waits.fetch()
    assert spooled(shop) == []
    assert words(waits.fetch()).count("Teapot") == 2
    assert shop.faults.calls["createReport"] == 1


def test_an_address_that_ran_out_between_two_attempts_is_replaced(waits: Waits, shop: Shop) -> None:
    waits.fetch()
    shop.clock.now += timedelta(days=1)
    assert words(waits.fetch()).count("Teapot") == 2


# ---------- what came is no report: nothing lands, the next attempt downloads it again


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ({"truncate": 0.6}, (Unavailable, "broke off")),
        ({"body": b"<html><body>Service Unavailable</body></html>"}, (BadDocument, "error page")),
        ({"body": b"", "content_type": "text/plain"}, (BadDocument, "is empty")),
        ({"body": b"order\tcolour\n1\tred\n", "content_type": "text/plain"}, (BadDocument, "lacks the columns")),
    ],
    ids=["truncated gzip", "HTML", "empty", "other columns"],
)
def test_a_document_that_is_no_report_leaves_nothing_and_is_fetched_again(
    waits: Waits, shop: Shop, fault: dict[str, Any], problem: tuple[type[Exception], str]
) -> None:
    def load() -> int:
        waits.fetch()
        client = shop.client(waits.memory)
        with (
            reports.fetched(client, waits.memory, REQUEST, shop.folder) as document,
            shop.warehouse.begin() as connection,
        ):
            assert document is not None
            window = Window(NOON - 10 * DAY, NOON, live=False)
            return land_order_report(connection, account="shop", region="eu", window=window, document=document)[1]

    waits.fetch()
    shop.faults.next("download", after=1, **fault)
    error, says = problem
    with pytest.raises(error, match=says):
        load()
    assert shop.column("select batch_id from ops.batch") == []
    assert load() == 2
    assert shop.faults.calls["createReport"] == 1


# ---------- the token endpoint and the line


@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"status": 503, "body": b"<html>busy</html>"}, {"reset": True}],
    ids=["500", "HTML", "reset"],
)
def test_a_token_endpoint_in_trouble_is_asked_again(waits: Waits, shop: Shop, fault: dict[str, Any]) -> None:
    shop.faults.next("token", **fault)
    assert words(waits.fetch()).count("Teapot") == 2


@pytest.mark.parametrize("operation", ["createReport", "getReport", "getReportDocument"])
@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 429}, {"reset": True}], ids=["500", "429", "reset"])
def test_one_call_that_goes_wrong_is_made_again(
    waits: Waits, shop: Shop, operation: str, fault: dict[str, Any]
) -> None:
    shop.faults.next(operation, **fault)
    assert words(waits.fetch()).count("Teapot") == 2


def test_files_that_killed_pulls_left_behind_are_swept(waits: Waits, shop: Shop) -> None:
    shop.folder.mkdir(parents=True, exist_ok=True)
    old, young = shop.folder / "report-old", shop.folder / "report-young"
    old.touch()
    young.touch()
    os.utime(old, (0, 0))
    document = waits.fetch()
    assert document is not None
    assert sorted(spooled(shop)) == sorted([young, document.path])


def test_waiting_says_for_what(waits: Waits, shop: Shop) -> None:
    with pytest.raises(ComeBackAt) as wait:
        waits.attempt()
    assert wait.value.why == (
        f"Amazon is making the report {REPORT} from 2026-02-28T12:00:00Z to 2026-03-10T12:00:00Z "
        "(account shop, region eu, connection amazon_sp_api_shop_eu)"
    )
    assert wait.value.moment - shop.clock.now < MINUTE
