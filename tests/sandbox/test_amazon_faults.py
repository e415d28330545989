"""The stand-in does wrong exactly what it was told to, as often as it was told to, and nothing else."""

import gzip
from collections.abc import Iterator

import httpx
import pytest
from amazon_builders import DOCUMENTS, ORDERS, REGIONS, REPORTS, Caller, order, order_id, problem, running, world

from sandbox.amazon_faults import Faults
from sandbox.amazon_marketplaces import MARKETPLACES

BY_UPDATE = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL"
SINCE = {"lastUpdatedAfter": "2026-01-01T00:00:00Z", "marketplaceIds": MARKETPLACES["DE"].id}


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def amazon(faults: Faults) -> Iterator[Caller]:
    with running(world(order(1), order(2)), faults=faults) as caller:
        caller.authorize()
        yield caller


def search(amazon: Caller, **params: str) -> httpx.Response:
    return amazon.get(ORDERS, **{**SINCE, **params})


def report(amazon: Caller) -> dict[str, str]:
    body = {
        "reportType": BY_UPDATE,
        "marketplaceIds": [MARKETPLACES[name].id for name in REGIONS["eu"]],
        "dataStartTime": "2026-02-28T12:00:00Z",
        "dataEndTime": "2026-03-01T12:00:00Z",
    }
    created = amazon.call("POST", REPORTS, json=body).json()
    amazon.clock.forward(seconds=1)
    found: dict[str, str] = amazon.get(f"{REPORTS}/{created['reportId']}").json()
    return found


def download(amazon: Caller) -> httpx.Response:
    described = amazon.get(f"{DOCUMENTS}/{report(amazon)['reportDocumentId']}").json()
    return amazon.http.get(described["url"])


def test_without_faults_all_goes_well_and_calls_are_counted(amazon: Caller, faults: Faults) -> None:
    assert download(amazon).status_code == 200
    assert dict(faults.calls) == {
        "token": 1, "createReport": 1, "getReport": 1, "getReportDocument": 1, "download": 1,
    }  # fmt: skip


def test_a_fault_meets_the_next_call_of_its_operation_only(amazon: Caller, faults: Faults) -> None:
    faults.next("searchOrders", status=500)
    assert amazon.get(f"{ORDERS}/{order_id(1)}").status_code == 200
    assert problem(search(amazon)) == (500, "InternalFailure")
    assert search(amazon).status_code == 200


def test_a_fault_may_come_later_and_more_than_once(amazon: Caller, faults: Faults) -> None:
    faults.next("searchOrders", after=1, times=2, status=429, headers={"x-amzn-RateLimit-Limit": "0.5"})
    answers = [search(amazon) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert problem(answers[1]) == (429, "QuotaExceeded")
    assert answers[1].headers["x-amzn-RateLimit-Limit"] == "0.5"


def test_a_post_can_fail_too(amazon: Caller, faults: Faults) -> None:
    faults.next("token", status=400, body={"error": "invalid_grant"})
    answer = amazon.authorize()
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})
    assert amazon.authorize().status_code == 200


def test_another_page_in_place_of_the_answer(amazon: Caller, faults: Faults) -> None:
    faults.next("download", body=b"<html>Sorry</html>", content_type="text/html")
    answer = download(amazon)
    assert (answer.status_code, answer.text) == (200, "<html>Sorry</html>")
    assert answer.headers["content-type"] == "text/html"


def test_a_page_token_expires(amazon: Caller, faults: Faults) -> None:
    faults.next("searchOrders", expire_page_token=True)
    first = search(amazon, maxResultsPerPage="1")
    assert first.status_code == 200
    token = first.json()["pagination"]["nextToken"]
    refused = search(amazon, paginationToken=token)
    assert problem(refused) == (400, "InvalidInput")
    assert "paginationToken has expired" in refused.text
    assert search(amazon, paginationToken=token).status_code == 200


def test_a_truncated_answer_looks_whole(amazon: Caller, faults: Faults) -> None:
    faults.next("download", truncate=0.5)
    answer = download(amazon)
    assert answer.status_code == 200
    with pytest.raises(EOFError):
        gzip.decompress(answer.content)


@pytest.mark.parametrize("operation", ["download", "createReport", "token"])
def test_a_connection_ends_in_the_middle_of_an_answer(amazon: Caller, faults: Faults, operation: str) -> None:
    faults.next(operation, reset=True)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        download(amazon) if operation != "token" else amazon.authorize()
    assert download(amazon).status_code == 200


def test_what_was_reset_was_carried_out(amazon: Caller, faults: Faults) -> None:
    faults.next("createReport", reset=True)
    with pytest.raises(httpx.RemoteProtocolError):
        report(amazon)
    assert len(amazon.get(REPORTS, reportTypes=BY_UPDATE).json()["reports"]) == 1


def test_an_answer_can_be_late(amazon: Caller, faults: Faults) -> None:
    amazon.http.timeout = httpx.Timeout(0.2)
    faults.next("token", delay=5)
    with pytest.raises(httpx.ReadTimeout):
        amazon.authorize()


def test_a_share_of_all_calls_fails_the_same_for_the_same_seed(amazon: Caller, faults: Faults) -> None:
    def fates(seed: int) -> list[int]:
        trial = Faults()
        trial.next("*", status=503, share=0.3, seed=seed)
        return [trial.take("getOrder").status or 200 for _ in range(200)]

    assert fates(1) == fates(1) != fates(2)
    assert 30 < fates(1).count(503) < 90
    faults.next("*", status=503, share=1.0)
    assert search(amazon).status_code == amazon.authorize().status_code == 503


def test_faults_end_when_they_are_told_to(amazon: Caller, faults: Faults) -> None:
    faults.next("*", status=503, share=1.0)
    faults.next("searchOrders", status=500, times=2)
    assert search(amazon).status_code == 500
    faults.heal()
    assert search(amazon).status_code == 200


def test_a_report_fails_with_its_reason_then_goes_well(amazon: Caller, faults: Faults) -> None:
    faults.report(BY_UPDATE, "FATAL", reason="Too much at once")
    failed = report(amazon)
    assert failed["processingStatus"] == "FATAL"
    described = amazon.get(f"{DOCUMENTS}/{failed['reportDocumentId']}").json()
    assert amazon.http.get(described["url"]).text == "Too much at once"
    assert report(amazon)["processingStatus"] == "DONE"


def test_a_report_fails_without_a_word_or_has_no_data(amazon: Caller, faults: Faults) -> None:
    faults.report(BY_UPDATE, "FATAL")
    faults.report(BY_UPDATE, "CANCELLED", times=2)
    found = [report(amazon) for _ in range(4)]
    assert [one["processingStatus"] for one in found] == ["FATAL", "CANCELLED", "CANCELLED", "DONE"]
    assert ["reportDocumentId" in one for one in found] == [False, False, False, True]
