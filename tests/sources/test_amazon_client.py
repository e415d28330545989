"""The client waits where waiting helps, gives up where it cannot, and never takes an error page for "no orders"."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from amazon_support.sources.amazon import AmazonClient, Credentials
from amazon_support.sources.errors import BadCredentials, SourceError, Throttled, Unavailable

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
    return [order for page in pages for order in page]


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
    amazon.answer((429, QUOTA, {"x-amzn-RateLimit-Limit": "0.5"}), (429, QUOTA), page("1"))
    assert len(search(client)) == 1
    assert pauses == [2.0, pytest.approx(1 / 0.0056)]


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
    amazon.answer((403, {"errors": [{"code": "Unauthorized", "message": "Access denied"}]}))
    with pytest.raises(BadCredentials, match="forbids searchOrders"):
        search(client)


def test_a_token_service_in_trouble_is_tried_again(
    client: AmazonClient, amazon: ScriptedAmazon, pauses: list[float]
) -> None:
    amazon.token = (502, "<html>Bad Gateway</html>")
    with pytest.raises(Unavailable):
        client.authenticate()
    assert len(pauses) == 3


def test_a_query_amazon_does_not_accept_is_said_as_such(client: AmazonClient, amazon: ScriptedAmazon) -> None:
    amazon.answer((400, {"errors": [{"code": "InvalidInput", "message": "buyer@example.com"}]}))
    with pytest.raises(SourceError, match="does not accept searchOrders .*400 InvalidInput") as caught:
        search(client)
    assert "buyer@" not in str(caught.value)


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


def test_marketplaces_of_the_account(client: AmazonClient, amazon: ScriptedAmazon) -> None:
    amazon.answer((200, {"payload": [{"marketplace": {"id": "A1PA6795UKMFR9"}, "participation": {}}]}))
    assert client.marketplaces() == ["A1PA6795UKMFR9"]
