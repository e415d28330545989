"""Answers keep to Amazon's official models, and the static sandbox answers as the models say."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from amazon_builders import DOCUMENTS, ORDERS, REPORTS, Caller, order, order_id, running, seller, world
from jsonschema import Draft4Validator, FormatChecker

from sandbox.amazon_marketplaces import MARKETPLACES
from sandbox.amazon_models import Operation, StaticCase, load_model, operations
from sandbox.amazon_orders import DATASETS

OPERATIONS = {operation.name: operation for operation in operations()}
SINCE = {"createdAfter": "2026-01-01T00:00:00Z"}
REPORT = {
    "reportType": "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL",
    "marketplaceIds": [MARKETPLACES["DE"].id],
    "dataStartTime": "2026-02-28T00:00:00Z",
}
SCHEDULES = {"getReportSchedules", "createReportSchedule", "cancelReportSchedule", "getReportSchedule"}

times = FormatChecker(formats=())


@times.checks("date-time", raises=ValueError)
def is_time(value: object) -> bool:
    return datetime.fromisoformat(str(value)).tzinfo is not None


def closed(schema: Any) -> Any:
    """The schema without room for properties that it does not name, so that a misspelt one is found."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    extra = {"additionalProperties": False} if schema.get("properties") and "type" in schema else {}
    return {**extra, **{key: closed(value) for key, value in schema.items()}}


def breaches(operation: Operation, answer: httpx.Response) -> list[str]:
    """How the answer breaks what the model says for its status."""
    model = load_model(operation.model)
    described = model["paths"][operation.path][operation.method.lower()]["responses"][str(answer.status_code)]
    missing = [name for name in described["headers"] if name not in answer.headers]
    if "schema" not in described:
        return missing + (["a body"] if answer.content else [])
    schema = {"definitions": closed(model["definitions"]), **described["schema"]}
    errors = Draft4Validator(schema, format_checker=times).iter_errors(answer.json())
    return missing + [f"{error.json_path}: {error.message}" for error in errors]


@pytest.fixture
def amazon() -> Iterator[Caller]:
    with running(world(*(order(n) for n in range(3)), sellers=(seller(), seller("na")))) as caller:
        yield caller


def finished_report(amazon: Caller) -> dict[str, Any]:
    report_id = amazon.call("POST", REPORTS, json=REPORT).json()["reportId"]
    amazon.clock.forward(minutes=1)
    report: dict[str, Any] = amazon.get(f"{REPORTS}/{report_id}").json()
    return report


def queued(amazon: Caller) -> str:
    return str(amazon.call("POST", REPORTS, json=REPORT).json()["reportId"])


Ask = Callable[[Caller], httpx.Response]
ASKED: list[tuple[str, int, Ask]] = [
    ("searchOrders", 200, lambda a: a.get(ORDERS, **SINCE, includedData=list(DATASETS), maxResultsPerPage=2)),
    ("searchOrders", 200, lambda a: a.get(ORDERS, **SINCE)),
    ("searchOrders", 400, lambda a: a.get(ORDERS)),
    ("getOrder", 200, lambda a: a.get(f"{ORDERS}/{order_id(1)}", includedData=list(DATASETS))),
    ("getOrder", 400, lambda a: a.get(f"{ORDERS}/1")),
    ("getOrder", 404, lambda a: a.get(f"{ORDERS}/{order_id(99)}")),
    ("createReport", 202, lambda a: a.call("POST", REPORTS, json=REPORT)),
    ("createReport", 400, lambda a: a.call("POST", REPORTS, json={})),
    ("getReport", 200, lambda a: a.get(f"{REPORTS}/{queued(a)}")),
    ("getReport", 200, lambda a: a.get(f"{REPORTS}/{finished_report(a)['reportId']}")),
    ("getReport", 404, lambda a: a.get(f"{REPORTS}/1")),
    ("getReports", 200, lambda a: finished_report(a) and a.get(REPORTS, reportTypes=[REPORT["reportType"]])),
    ("getReports", 200, lambda a: [queued(a), queued(a)] and a.get(REPORTS, reportTypes="X", pageSize=1)),
    ("getReports", 400, lambda a: a.get(REPORTS)),
    ("cancelReport", 200, lambda a: a.call("DELETE", f"{REPORTS}/{queued(a)}")),
    ("cancelReport", 400, lambda a: a.call("DELETE", f"{REPORTS}/{finished_report(a)['reportId']}")),
    ("cancelReport", 404, lambda a: a.call("DELETE", f"{REPORTS}/1")),
    ("getReportDocument", 200, lambda a: a.get(f"{DOCUMENTS}/{finished_report(a)['reportDocumentId']}")),
    ("getReportDocument", 404, lambda a: a.get(f"{DOCUMENTS}/unknown")),
    ("getMarketplaceParticipations", 200, lambda a: a.get("/sellers/v1/marketplaceParticipations")),
    ("getAccount", 200, lambda a: a.get("/sellers/v1/account")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "status", "ask"), ASKED)
def test_answers_keep_to_the_model(amazon: Caller, name: str, status: int, ask: Ask) -> None:
    answer = ask(amazon)
    assert answer.status_code == status
    assert breaches(OPERATIONS[name], answer) == []


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - SCHEDULES))
def test_every_operation_refuses_as_the_model_says(name: str) -> None:
    operation = OPERATIONS[name]
    path = operation.path.format(orderId="1", reportId="1", reportDocumentId="1")
    with running(world(), rate_factor=0.0001) as amazon:  # a burst of one
        amazon.authorize()
        answers = [amazon.call(operation.method, path) for _ in range(2)]
        amazon.access_token = "forged"
        answers.append(amazon.call(operation.method, path))
    assert [answer.status_code for answer in answers[1:]] == [429, 403]
    assert [breaches(operation, answer) for answer in answers] == [[], [], []]


def test_the_answers_above_are_those_of_every_operation() -> None:
    assert {name for name, status, _ in ASKED if status < 300} == set(OPERATIONS) - SCHEDULES


def test_the_check_finds_what_breaks_a_model(amazon: Caller) -> None:
    answer = amazon.get(f"{ORDERS}/{order_id(1)}")
    wrong = answer.json()
    wrong["order"] |= {"createdTime": "yesterday", "salesChannel": {}, "buyerEmail": "x"}
    broken = httpx.Response(200, json=wrong, headers=[(k, v) for k, v in answer.headers.items() if "amzn" in k])
    assert len(breaches(OPERATIONS["getOrder"], broken)) == 3


@pytest.mark.parametrize("path", ["/orders/v0/orders", "/reports/2021-06-30/schedules", "/"])
def test_what_amazon_does_not_serve_is_not_found(amazon: Caller, path: str) -> None:
    answer = amazon.get(path)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "NotFound")
    assert answer.headers["x-amzn-RequestId"]


# ---------- static sandbox

STATIC = [(operation, case) for operation in OPERATIONS.values() for case in operation.static_cases]
# Amazon lists the same (empty) request twice for this operation; the success is answered.
SHADOWED = [("getAccount", 400)]


def static_request(operation: Operation, case: StaticCase) -> tuple[str, Any, dict[str, Any]]:
    """Path, JSON body and query of a case. What it does not say about the path may be anything."""
    values = dict(case.parameters)
    body = values.pop("body", None)
    path = operation.path
    for parameter in operation.parameters:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", values.pop(parameter["name"], "anything"))
    return path, body, values


@pytest.fixture(scope="module")
def static() -> Iterator[Caller]:
    with running(world(order(1)), static_sandbox=True, rate_factor=10_000) as caller:
        yield caller


@pytest.mark.parametrize(
    ("operation", "case"), [pytest.param(o, c, id=f"{o.name}-{c.status}-{n}") for n, (o, c) in enumerate(STATIC)]
)
def test_every_static_case_gets_exactly_its_answer(static: Caller, operation: Operation, case: StaticCase) -> None:
    path, body, query = static_request(operation, case)
    answer = static.call(operation.method, path, json=body, **query)
    if (operation.name, case.status) in SHADOWED:
        assert answer.status_code == 200
        return
    assert answer.status_code == case.status
    assert (answer.json() if answer.content else None) == case.response


def test_there_are_static_cases() -> None:
    assert len(STATIC) >= 20


def test_a_request_that_differs_from_the_case_is_answered_as_usual(static: Caller) -> None:
    _, case = next((o, c) for o, c in STATIC if o.name == "createReport" and c.status == 202)
    body = {**case.parameters["body"], "marketplaceIds": [MARKETPLACES["DE"].id]}
    assert static.call("POST", REPORTS, json=body).json() != case.response
    assert static.get(f"{ORDERS}/{order_id(1)}").json()["order"]["orderId"] == order_id(1)


def test_without_the_static_sandbox_its_requests_are_ordinary(amazon: Caller) -> None:
    operation, case = next((o, c) for o, c in STATIC if o.name == "searchOrders")
    path, body, query = static_request(operation, case)
    assert amazon.call(operation.method, path, json=body, **query).status_code == 400  # Japan, asked of a European
