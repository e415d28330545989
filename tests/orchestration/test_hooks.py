"""Airflow connections become clients; what a connection lacks is said with its name and account."""

import json
from pathlib import Path
from typing import Any

import pytest

from amazon_support.orchestration import hooks
from amazon_support.sources.errors import BadCredentials
from amazon_support.warehouse import connect

AMAZON = {"refresh_token": "Atzr|x", "client_id": "id", "client_secret": "a-secret", "region": "eu"}


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Adds a connection as deployments do: by the environment."""

    def add(name: str, **fields: Any) -> None:
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))

    return add


def test_a_connection_to_amazon_becomes_a_client(connection: Any) -> None:
    connection("amazon_shop_eu", conn_type="amazon_sp_api", extra={**AMAZON, "endpoint": ""})
    client = hooks.AmazonSpApiHook("amazon_shop_eu", "shop").get_conn()
    assert str(client.credentials) == "account shop, region eu, connection amazon_shop_eu"
    assert (client.credentials.refresh_token, client.credentials.endpoint) == ("Atzr|x", None)
    assert "a-secret" not in repr(client.credentials)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"refresh_token": None}, r"Connection amazon_shop_eu \(account shop\) lacks refresh_token\."),
        ({"client_id": "", "region": ""}, r"lacks client_id, region\."),
        ({"region": "us"}, r"region must be na, eu or fe"),
    ],
)
def test_a_field_that_is_missing_or_wrong_is_named(connection: Any, change: dict[str, Any], says: str) -> None:
    connection("amazon_shop_eu", conn_type="amazon_sp_api", extra={**AMAZON, **change})
    with pytest.raises(BadCredentials, match=says):
        hooks.AmazonSpApiHook("amazon_shop_eu", "shop").get_conn()


def test_trying_a_connection_out_says_why_it_fails(connection: Any) -> None:
    connection("amazon_shop_eu", conn_type="amazon_sp_api", extra={})
    worked, message = hooks.AmazonSpApiHook("amazon_shop_eu", "shop").test_connection()
    assert not worked
    assert "lacks refresh_token, client_id, client_secret, region" in message


def test_a_mailbox_speaks_tls_unless_told_otherwise(connection: Any) -> None:
    connection("imap_shop", conn_type="imap", host="imap.shop.example", login="me", password="p")
    assert (hooks.mailbox("imap_shop", "shop").use_ssl, hooks.mailbox("imap_shop", "shop").port) == (True, 993)
    connection("imap_shop", conn_type="imap", host="imap.shop.example", extra={"use_ssl": False})
    assert (hooks.mailbox("imap_shop", "shop").use_ssl, hooks.mailbox("imap_shop", "shop").port) == (False, 143)


def test_a_mailbox_without_a_host_is_named(connection: Any) -> None:
    connection("imap_shop", conn_type="imap")
    with pytest.raises(BadCredentials, match=r"Connection imap_shop \(account shop\) names no host"):
        hooks.mailbox("imap_shop", "shop")


OAUTH = {"auth": "xoauth2", "client_id": "app", "client_secret": "s", "refresh_token": "r"}


@pytest.mark.parametrize(
    ("host", "extra", "url"),
    [
        ("imap.gmail.com", {}, "https://oauth2.googleapis.com/token"),
        ("Outlook.Office365.com", {}, "https://login.microsoftonline.com/common/oauth2/v2.0/token"),
        ("imap.shop.example", {"token_url": "https://id.shop.example/token"}, "https://id.shop.example/token"),
        ("imap.gmail.com", {"token_url": "https://id.shop.example/token"}, "https://id.shop.example/token"),
    ],
)
def test_a_mailbox_may_log_in_with_oauth(connection: Any, host: str, extra: dict[str, str], url: str) -> None:
    connection("imap_shop", conn_type="imap", host=host, login="me", extra={**OAUTH, **extra})
    oauth = hooks.mailbox("imap_shop", "shop").oauth
    assert oauth is not None
    assert (oauth.token_url, oauth.client_id, oauth.client_secret, oauth.refresh_token) == (url, "app", "s", "r")


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({**OAUTH, "refresh_token": ""}, r"imap_shop \(account shop\) lacks refresh_token, token_url in the extra"),
        ({"auth": "oauth"}, "auth in the extra must be xoauth2"),
    ],
)
def test_what_oauth_lacks_is_named(connection: Any, extra: dict[str, str], says: str) -> None:
    connection("imap_shop", conn_type="imap", host="imap.shop.example", login="me", extra=extra)
    with pytest.raises(BadCredentials, match=says):
        hooks.mailbox("imap_shop", "shop")


@pytest.mark.parametrize(
    ("extra", "port"), [({}, 465), ({"disable_ssl": True}, 587), ({"disable_ssl": True, "disable_tls": True}, 587)]
)
def test_outgoing_mail_understands_airflows_smtp_fields(connection: Any, extra: dict[str, Any], port: int) -> None:
    connection("smtp_default", conn_type="smtp", host="mail.shop.example", login="desk@shop.example", extra=extra)
    transport = hooks.smtp_transport()
    assert transport is not None
    assert (transport.host, transport.port, transport.sender) == ("mail.shop.example", port, "desk@shop.example")


def test_the_warehouse_may_be_named_by_a_connection(connection: Any, warehouse_url: str) -> None:
    database = warehouse_url.partition("?")[0].rpartition("/")[2]
    socket = warehouse_url.partition("host=")[2].replace("%2F", "/")
    connection(
        "amazon_support_warehouse", conn_type="postgres", login="postgres", schema=database, extra={"host": socket}
    )
    with connect(hooks.warehouse_url()) as warehouse:
        assert warehouse.exec_driver_sql("select count(*) from ops.batch").scalar() == 0


# ---------- the archive and its secrets


def test_the_archive_is_in_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, connection: Any) -> None:
    connection("amazon_support_archive", conn_type="generic", password="one")
    monkeypatch.setenv("AMAZON_SUPPORT_DATA", str(tmp_path))
    assert hooks.archive().folder == tmp_path / "archive"


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_the_archive_may_be_in_a_folder_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, connection: Any, prefix: str
) -> None:
    connection("amazon_support_archive", conn_type="generic", password="one")
    monkeypatch.setenv("AMAZON_SUPPORT_ARCHIVE", f"{prefix}{tmp_path}")
    assert hooks.archive().folder == tmp_path
    assert isinstance(hooks.archive().folder, Path)


def test_the_archive_may_be_in_an_object_store(monkeypatch: pytest.MonkeyPatch, connection: Any) -> None:
    connection("amazon_support_archive", conn_type="generic", password="one")
    monkeypatch.setenv("AMAZON_SUPPORT_ARCHIVE", "memory://hooks-test/mail")
    assert hooks.archive().get(hooks.archive().put(b"a mail")) == b"a mail"
    assert str(hooks.archive().folder) == "memory://hooks-test/mail"


def test_previous_secrets_open_what_they_sealed_and_buyers_keep_their_hash(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, connection: Any
) -> None:
    monkeypatch.setenv("AMAZON_SUPPORT_ARCHIVE", str(tmp_path))
    connection("amazon_support_archive", conn_type="generic", password="one")
    name, buyers = hooks.archive().put(b"a mail"), hooks.buyer_key()
    connection("amazon_support_archive", conn_type="generic", password="two", extra={"previous": ["one"]})
    assert hooks.archive().get(name) == b"a mail"
    assert hooks.buyer_key() == buyers
    assert hooks.archive().rotate().resealed == 1


def test_fernet_keys_are_secrets_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AMAZON_SUPPORT_ARCHIVE", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "old")
    name, buyers = hooks.archive().put(b"a mail"), hooks.buyer_key()
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "new,old")
    assert (hooks.archive().get(name), hooks.buyer_key()) == (b"a mail", buyers)


@pytest.mark.parametrize("fields", [{}, {"password": "two", "extra": {"previous": [""]}}])
def test_a_missing_secret_is_named(connection: Any, fields: dict[str, Any]) -> None:
    connection("amazon_support_archive", conn_type="generic", **fields)
    with pytest.raises(BadCredentials, match="No secret for the mail archive"):
        hooks.archive()


def test_a_worker_that_vanished_holds_no_locks_for_long(warehouse_url: str) -> None:
    with hooks.open_warehouse() as engine, engine.connect() as connection:
        assert connection.exec_driver_sql("show idle_in_transaction_session_timeout").scalar() == "10min"
