"""Chat and text messages by Apprise: the words arrive, and what goes wrong is said without the secret URL."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from amazon_support.orchestration import hooks
from amazon_support.outputs.channels import NotTaken, Outgoing

MESSAGE = Outgoing(
    "text", "chat_ana", "Alert 12:00 UTC", "", "1 breached: see the worklist.", "<id>", "<alert.x>",
    datetime(2026, 3, 10, 12, tzinfo=UTC),
)  # fmt: skip


class Service(HTTPServer):
    """A chat service that keeps what it is told and answers with `status`."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told: list[dict[str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    with Service() as server:
        url = f"json://127.0.0.1:{server.server_port}/secret-hook"
        connection = {"conn_type": "apprise", "extra": {"config": {"path": url, "tag": "all"}}}
        monkeypatch.setenv("AIRFLOW_CONN_CHAT_ANA", json.dumps(connection))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_message_arrives_with_its_words_alone(service: Service) -> None:
    hooks.AppriseTransport().send(MESSAGE)
    (told,) = service.told
    assert (told["title"], told["message"]) == ("", "1 breached: see the worklist.")


def test_a_service_that_answers_500_did_not_take_it(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    service.status = 500
    with pytest.raises(NotTaken, match="the service behind connection chat_ana did not take it") as error:
        hooks.AppriseTransport().send(MESSAGE)
    assert not error.value.for_good
    assert "secret-hook" not in str(error.value) + caplog.text


@pytest.mark.parametrize(
    ("connection", "says"),
    [
        (None, "there is no Airflow connection chat_ana: see agents.yaml"),
        ({"conn_type": "apprise"}, "lacks config with a path in the extra"),
        ({"conn_type": "apprise", "extra": {"config": 7}}, "lacks config with a path in the extra"),
        ({"conn_type": "apprise", "extra": {"config": {"path": "secret"}}}, "is no URL that Apprise knows"),
    ],
)
def test_a_connection_that_leads_nowhere_is_named(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    connection: dict[str, Any] | None,
    says: str,
) -> None:
    if connection:
        monkeypatch.setenv("AIRFLOW_CONN_CHAT_ANA", json.dumps(connection))
    with pytest.raises(NotTaken, match=says) as error:
        hooks.AppriseTransport().send(MESSAGE)
    assert "secret" not in str(error.value) + caplog.text


def test_without_a_mail_server_chat_still_goes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with hooks.transports() as transports:
        assert sorted(transports) == ["chat", "text"]
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps({"conn_type": "smtp", "host": "mail.shop.example"}))
    with hooks.transports() as transports:
        assert sorted(transports) == ["chat", "email", "text"]


def test_a_service_whose_code_breaks_stops_nothing_else(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    import apprise

    def breaks(*arguments: Any, **more: Any) -> bool:
        raise RuntimeError("secret-hook")

    monkeypatch.setattr(apprise.Apprise, "notify", breaks)
    with pytest.raises(NotTaken, match="connection chat_ana: RuntimeError in Apprise") as error:
        hooks.AppriseTransport().send(MESSAGE)
    assert "secret-hook" not in str(error.value)
