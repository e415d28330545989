"""The client waits where waiting helps, gives up where it cannot, and never takes an error page for "no orders"."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import Engine

from amazon_support.sources.amazon import AmazonClient, Credentials
from amazon_support.sources.errors import BadCredentials, NotFound, SourceError, Throttled, TokenExpired, Unavailable
from amazon_support.sources.memory import ShortMemory
from amazon_support.sources.rates import RateLimiter

SINCE, UNTIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
QUOTA = {"errors": [{"code": "QuotaExceeded", "message": "You exceeded your quota"}]}
Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]]


class ScriptedAmazon:
    """An HTTP server that gives token requests `token`, and other requests the answers in their order."""

    def __init__(self) -> None:
        self.token: Answer = (200, {"access_token": "a", "token_type": "bearer", "expires_in": 3600})
        self.answers: list[Answer] = []
        self.requests: list[str] = []

    def answer(self, *answers: Answer) -> None:
        self.answers.extend(answers)


@pytest.fixture
def amazon() -> Iterator[ScriptedAmazon]:
    script = ScriptedAmazon()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script.requests.append(self.path)
            self.give(*script.answers.pop(0))

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.give(*script.token)

        def give(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode() if isinstance(body, str) else json.dumps(body).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    script.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    yield script
    server.shutdown()
    server.server_close()


@pytest.fixture
def pauses() -> list[float]:
    """How long the client slept, each time it did."""
    return []


@pytest.fixture
def client(amazon: ScriptedAmazon, pauses: list[float], request: pytest.FixtureRequest) -> AmazonClient:
    credentials = Credentials(
        connection="amazon_shop_eu", account="shop", region="eu",
        client_id="id", client_secret="a-secret", refresh_token=f"Atzr|{request.node.name}",
        endpoint=amazon.url, token_url=f"{amazon.url}/auth/o2/token",  # type: ignore[attr-defined]
    )  # fmt: skip
    return AmazonClient(credentials, sleep=pauses.append)


def search(client: AmazonClient) -> list[dict[str, Any]]:
    pages = client.search_orders(["A1PA6795UKMFR9"], after=SINCE, before=UNTIL)
    return [order for page in pages for order in page.orders]


def page(*ids: str, token: str | None = None) -> Answer:
    return 200, {"orders": [{"orderId": i} for i in ids], "pagination": {"nextToken": token} if token else None}


def test_pages_are_followed_to_the_end(client: AmazonClient, amazon: ScriptedAmazon) -> None:
    amazon.answer(page("1", "2", token="more"), page("3"))
    assert [order["orderId"] for order in search(client)] == ["1", "2", "3"]
    assert "paginationToken=more" in amazon.requests[1]
    assert client.calls == {"searchOrders": 2}


def test_all_marketplaces_share_one_call(client: AmazonClient, amazon: ScriptedAmazon) -> None:
    amazon.answer(page())
    list(client.search_orders(["A1", "B2"], after=SINCE, before=UNTIL))
    (request,) = amazon.requests
    assert "marketplaceIds=A1%2CB2" in request or "marketplaceIds=A1,B2" in request
    assert "lastUpdatedAfter=2026-03-01T00%3A00%3A00Z" in request


def test_throttling_is_waited_out_at_the_rate_amazon_names(
    client: AmazonClient, amazon: ScriptedAmazon, pauses: list[float]
) -> None:
    amazon.answer(
        (429, QUOTA, {"x-amzn-RateLimit-Limit": "0.5"}), (429, QUOTA, {"x-amzn-RateLimit-Limit": "0.1"}), page("1")
    )
    assert len(search(client)) == 1
    assert pauses == [2.0, 10.0]


def test_a_wait_too_long_for_a_worker_is_left_to_the_scheduler(client: AmazonClient, amazon: ScriptedAmazon) -> None:
    amazon.answer((429, QUOTA, {"x-amzn-RateLimit-Limit": "0.001"}))
    with pytest.raises(Throttled):
        search(client)


@pytest.mark.parametrize(
    "trouble",
    [
        (500, {"errors": [{"code": "InternalFailure", "message": "?"}]}),
        (503, "<html>Service Unavailable</html>"),
        (200, "<html>a proxy's page</html>"),
        (200, {}),
    ],
    ids=["500", "503 as a page", "200 as a page", "200 without orders"],
)
def test_an_answer_without_orders_is_trouble_not_an_empty_hour(
    client: AmazonClient, amazon: ScriptedAmazon, pauses: list[float], trouble: Answer
) -> None:
    amazon.answer(trouble, trouble, page("1"))
    assert len(search(client)) == 1
    assert len(pauses) == 2
    amazon.answer(*[trouble] * 4)
    with pytest.raises(Unavailable, match="account shop, region eu, connection amazon_shop_eu"):
        search(client)


@pytest.mark.parametrize(("status", "error"), [(400, "invalid_grant"), (401, "invalid_client")])
def test_refused_credentials_are_for_a_person(
    client: AmazonClient, amazon: ScriptedAmazon, pauses: list[float], status: int, error: str
) -> None:
    amazon.token = (status, {"error": error, "error_description": "The request has an invalid grant: Atzr|x"})
    with pytest.raises(BadCredentials) as caught:
        client.authenticate()
    assert str(caught.value).startswith(f"Amazon refuses the credentials (account shop, region eu, connection "
                                        f"amazon_shop_eu): {error}.")  # fmt: skip
    assert "Atzr" not in str(caught.value)
    assert "a-secret" not in str(caught.value) + repr(client.credentials)
    assert pauses == []


def test_a_forbidden_operation_is_for_a_person(client: AmazonClient, amazon: ScriptedAmazon) -> None:
    denied = (403, {"errors": [{"code": "Unauthorized", "message": "Access denied"}]})
    amazon.answer(denied, denied)
    with pytest.raises(BadCredentials, match="forbids searchOrders"):
        search(client)
    assert client.calls == {"searchOrders": 2}, "once more with a fresh access token, then it is for a person"


def test_an_access_token_that_ended_early_is_replaced(client: AmazonClient, amazon: ScriptedAmazon) -> None:
    amazon.answer((403, {"errors": [{"code": "Unauthorized", "message": "The access token has expired"}]}), page("1"))
    assert len(search(client)) == 1


@pytest.mark.parametrize("status", [429, 502])
def test_a_token_service_in_trouble_is_tried_again(
    client: AmazonClient, amazon: ScriptedAmazon, pauses: list[float], status: int
) -> None:
    amazon.token = (status, "<html>Bad Gateway</html>")
    with pytest.raises(Unavailable):
        client.authenticate()
    assert len(pauses) == 3


def test_a_query_amazon_does_not_accept_is_said_as_such(client: AmazonClient, amazon: ScriptedAmazon) -> None:
    amazon.answer((400, {"errors": [{"code": "InvalidInput", "message": "buyer@example.com"}]}))
    with pytest.raises(SourceError, match="does not accept searchOrders .*400 InvalidInput") as caught:
        search(client)
    assert "buyer@" not in str(caught.value)


def test_a_page_token_that_has_expired_is_told_apart(client: AmazonClient, amazon: ScriptedAmazon) -> None:
    amazon.answer((400, {"errors": [{"code": "InvalidInput", "message": "paginationToken has expired."}]}))
    with pytest.raises(TokenExpired):
        list(client.search_orders(["A1PA6795UKMFR9"], after=SINCE, before=UNTIL, token="old"))
    assert "paginationToken=old" in amazon.requests[0]


def test_nobody_answering_is_unavailable(amazon: ScriptedAmazon, pauses: list[float]) -> None:
    nowhere = Credentials(
        connection="c", account="shop", region="na", client_id="i", client_secret="s", refresh_token="Atzr|nowhere",
        endpoint="http://127.0.0.1:9", token_url="http://127.0.0.1:9/token",
    )  # fmt: skip
    with pytest.raises(Unavailable, match="ConnectError"):
        search(AmazonClient(nowhere, sleep=pauses.append))


def test_one_order_by_id(client: AmazonClient, amazon: ScriptedAmazon) -> None:
    amazon.answer((200, {"order": {"orderId": "302-0000001-0000001"}}))
    assert client.get_order("302-0000001-0000001")["orderId"] == "302-0000001-0000001"
    assert amazon.requests[0].startswith("/orders/2026-01-01/orders/302-0000001-0000001?")


def test_an_order_that_amazon_does_not_know(client: AmazonClient, amazon: ScriptedAmazon) -> None:
    amazon.answer((404, {"errors": [{"code": "NotFound", "message": "?"}]}))
    with pytest.raises(NotFound):
        client.get_order("302-0000001-0000001")


def test_a_throttled_call_takes_another_turn_and_never_fails(
    amazon: ScriptedAmazon, client: AmazonClient, warehouse: Engine
) -> None:
    now = [SINCE]

    def sleep(seconds: float) -> None:
        now[0] += timedelta(seconds=seconds)

    limiter = RateLimiter(
        warehouse, account="shop", region="eu", run="test", memory=ShortMemory(), clock=lambda: now[0], sleep=sleep,
        patience=timedelta(hours=1),
    )  # fmt: skip
    amazon.answer((429, QUOTA), (429, QUOTA), (200, {"orders": []}, {"x-amzn-RateLimit-Limit": "0.01"}))
    limited = AmazonClient(client.credentials, limiter, clock=lambda: now[0])
    assert search(limited) == []
    assert (now[0] - SINCE).total_seconds() == pytest.approx(2 / 0.0056)
    limiter.wait("searchOrders")
    assert (now[0] - SINCE).total_seconds() == pytest.approx(2 / 0.0056 + 100), "the rate that Amazon named"


def test_marketplaces_of_the_account(client: AmazonClient, amazon: ScriptedAmazon) -> None:
    amazon.answer((200, {"payload": [{"marketplace": {"id": "A1PA6795UKMFR9"}, "participation": {}}]}))
    assert client.marketplaces() == ["A1PA6795UKMFR9"]
