"""From Airflow connections to the library's clients. Nothing else reads connections."""

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from amazon_support.mail.archive import Archive
from amazon_support.outputs.acknowledge import Links
from amazon_support.outputs.channels import TIMEOUT, Channel, NotTaken, Outgoing, SmtpTransport, Transport
from amazon_support.settings import home
from amazon_support.sources.amazon import AmazonClient, Credentials
from amazon_support.sources.errors import BadCredentials
from amazon_support.sources.mail_tokens import TOKEN_URLS, OAuth
from amazon_support.sources.mailbox import MailboxCredentials
from amazon_support.sources.rates import RateLimiter

if TYPE_CHECKING:
    from sqlalchemy import Engine

WAREHOUSE_CONNECTION = "amazon_support_warehouse"
# A worker that vanishes without a goodbye (its host is frozen, its network gone) must not hold locks for hours: others
# run its task by then. No step of ours thinks for so long between two statements.
VANISHED: dict[str, Any] = {
    "idle_in_transaction_session_timeout": "10min",
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "6",
}
SMTP_CONNECTION = "smtp_default"
ARCHIVE_CONNECTION = "amazon_support_archive"


class AmazonSpApiHook(BaseHook):
    """Amazon's Selling Partner API for one account in one region (connection type amazon_sp_api)."""

    conn_name_attr = "amazon_conn_id"
    default_conn_name = "amazon_sp_api_default"
    conn_type = "amazon_sp_api"
    hook_name = "Amazon Selling Partner API"

    def __init__(self, amazon_conn_id: str = default_conn_name, account: str = "main") -> None:
        super().__init__()
        self.amazon_conn_id = amazon_conn_id
        self.account = account

    def get_conn(self, limiter: Callable[[Credentials], RateLimiter] | None = None) -> AmazonClient:
        """The client.

        Args:
            limiter: makes what gives turns to calls with these credentials; None for a few calls by hand.

        Raises: BadCredentials if the connection is missing or lacks a field.
        """
        fields = _connection(self.amazon_conn_id, "accounts.yaml, amazon_connections").extra_dejson
        needed = ("refresh_token", "client_id", "client_secret", "region")
        if missing := [name for name in needed if not fields.get(name)]:
            raise BadCredentials(
                f"Connection {self.amazon_conn_id} (account {self.account}) lacks {', '.join(missing)}."
            )
        if fields["region"] not in ("na", "eu", "fe"):
            raise BadCredentials(
                f"Connection {self.amazon_conn_id} (account {self.account}): region must be na, eu or fe."
            )
        credentials = Credentials(
            connection=self.amazon_conn_id,
            account=self.account,
            region=fields["region"],
            client_id=fields["client_id"],
            client_secret=fields["client_secret"],
            refresh_token=fields["refresh_token"],
            endpoint=fields.get("endpoint") or None,
            token_url=fields.get("token_url") or None,
        )
        return AmazonClient(credentials, limiter and limiter(credentials))

    def test_connection(self) -> tuple[bool, str]:
        """Asks Amazon for the account's marketplaces."""
        try:
            return True, f"Amazon answers: {len(self.get_conn().marketplaces())} marketplaces"
        except Exception as error:
            return False, str(error)


def mailbox(connection_id: str, account: str) -> MailboxCredentials:
    """Access to a mailbox from a connection of type imap.

    With `"auth": "xoauth2"` in the extra it logs in with an access token instead of the password; the extra then has
    client_id, refresh_token, client_secret if the application has one, and token_url if the host is neither Gmail's
    nor Outlook's.

    Raises: BadCredentials if the connection is missing or lacks a field.
    """
    connection = _connection(connection_id, "accounts.yaml, mailboxes")
    if not connection.host:
        raise BadCredentials(f"Connection {connection_id} (account {account}) names no host.")
    extra = connection.extra_dejson
    use_ssl = bool(extra.get("use_ssl", True))
    return MailboxCredentials(
        connection=connection_id,
        account=account,
        host=connection.host,
        port=connection.port or (993 if use_ssl else 143),
        user=connection.login or "",
        password=connection.password or "",
        use_ssl=use_ssl,
        oauth=_oauth(extra, connection.host, f"Connection {connection_id} (account {account})"),
    )


def _oauth(extra: dict[str, Any], host: str, who: str) -> OAuth | None:
    if not extra.get("auth"):
        return None
    if extra["auth"] != "xoauth2":
        raise BadCredentials(f"{who}: auth in the extra must be xoauth2, or not be there.")
    fields = {"token_url": TOKEN_URLS.get(host.lower()), **{name: value for name, value in extra.items() if value}}
    if missing := [name for name in ("client_id", "refresh_token", "token_url") if not fields.get(name)]:
        raise BadCredentials(f"{who} lacks {', '.join(missing)} in the extra.")
    return OAuth(
        token_url=fields["token_url"],
        client_id=fields["client_id"],
        refresh_token=fields["refresh_token"],
        client_secret=fields.get("client_secret", ""),
    )


def smtp_transport() -> SmtpTransport | None:
    """Where mail to people goes out; None while the connection smtp_default is not there (mail then waits)."""
    try:
        connection = BaseHook.get_connection(SMTP_CONNECTION)
    except AirflowNotFoundException:
        return None
    extra = connection.extra_dejson
    ssl = not extra.get("disable_ssl", False)
    return SmtpTransport(
        connection.host or "localhost",
        connection.port or (465 if ssl else 587),
        user=connection.login or None,
        password=connection.password or None,
        starttls=not ssl and not extra.get("disable_tls", False),
        ssl=ssl,
        sender=extra.get("from_email") or connection.login or "amazon-support@localhost",
        timeout=float(extra.get("timeout") or TIMEOUT),
    )


@contextmanager
def transports() -> Iterator[dict[Channel, Transport]]:
    """Every channel by which something can go out now: e-mail only where the connection smtp_default is."""
    services = AppriseTransport()
    found: dict[Channel, Transport] = {"chat": services, "text": services}
    smtp = smtp_transport()
    if smtp is None:
        yield found
    else:
        with smtp:
            yield {**found, "email": smtp}


class AppriseTransport:
    """Chat and text messages, by Apprise: each recipient is an Airflow connection of type apprise."""

    def send(self, message: Outgoing) -> None:
        """Sends the words alone, as text.

        Raises: NotTaken without saying where to: the service's URL is a secret.
        """
        import apprise
        from airflow.providers.apprise.hooks.apprise import AppriseHook

        # What it logs of a URL that it cannot use is the URL, and so the secret in it.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        services = apprise.Apprise()
        hook = AppriseHook(message.recipient)
        try:
            hook.set_config_from_conn(hook.get_connection(message.recipient), services)
        except AirflowNotFoundException:
            raise NotTaken(f"there is no Airflow connection {message.recipient}: see agents.yaml") from None
        except (KeyError, TypeError, ValueError):
            raise NotTaken(f"connection {message.recipient} lacks config with a path in the extra") from None
        if not services:
            raise NotTaken(f"the path in connection {message.recipient} is no URL that Apprise knows")
        try:
            is_taken = services.notify(body=message.plain, body_format=apprise.NotifyFormat.TEXT)
        except Exception as error:  # of a hundred services' code; one message must not stop the others
            raise NotTaken(f"connection {message.recipient}: {type(error).__name__} in Apprise") from None
        if not is_taken:
            raise NotTaken(f"the service behind connection {message.recipient} did not take it")


def warehouse_url() -> str | None:
    """URL from the connection amazon_support_warehouse; None leaves it to the environment."""
    try:
        return str(BaseHook.get_connection(WAREHOUSE_CONNECTION).get_uri())
    except AirflowNotFoundException:
        return None


@contextmanager
def open_warehouse() -> Iterator["Engine"]:
    """The warehouse that the connection amazon_support_warehouse names, or the environment."""
    from amazon_support.warehouse import engine

    bound = engine(warehouse_url(), **VANISHED)
    try:
        yield bound
    finally:
        bound.dispose()


def archive() -> Archive:
    """Archive of raw mail: in the data folder or, with `AMAZON_SUPPORT_ARCHIVE`, at that path or URL.

    A URL names an object store and the Airflow connection to it, such as s3://aws_default@bucket/mail.
    """
    place = os.environ.get("AMAZON_SUPPORT_ARCHIVE") or str(data_folder() / "archive")
    current, *previous = _secrets("archive")
    return Archive(_folder(place), current, previous)


def buyer_key() -> str:
    """Secret of the keyed hash that tells buyers apart: the oldest, so that buyers keep their hash."""
    return _secrets("buyers")[-1]


def support_pages() -> str:
    """URL of the support pages among Airflow's (`[api] base_url`); empty where that is not set."""
    from airflow.configuration import conf

    base = conf.get("api", "base_url", fallback="") or ""
    return f"{base.rstrip('/')}/support" if base else ""


def acknowledgement_links() -> Links:
    """Makes and reads the links by which a breach is acknowledged. They lead to one of the support pages."""
    pages = support_pages()
    return Links(_secrets("acknowledgements"), f"{pages}/acknowledge" if pages else "")


def desk_folder(account: str, url: str | None, connection_id: str | None) -> Path:
    """Where a desk drops its exports: `url`, or what the connection's extra names as `url` or `path`.

    Raises: BadCredentials if the connection is missing or names nothing.
    """
    if url:
        return _folder(url)
    extra = _connection(str(connection_id), "desk_files.yaml, folders").extra_dejson
    place = extra.get("url") or extra.get("path")
    if not place:
        raise BadCredentials(f"Connection {connection_id} (account {account}) lacks url, or path, in the extra.")
    return _folder(place)


def _folder(place: str) -> Path:
    local = place.removeprefix("file://")
    if "://" not in local:
        return Path(local)
    from airflow.sdk import ObjectStoragePath

    folder: Path = ObjectStoragePath(place)
    return folder


def data_folder() -> Path:
    """Folder for what is not in the warehouse: the mail archive, the worklist files, the pages on data quality."""
    return Path(os.environ.get("AMAZON_SUPPORT_DATA") or home() / ".data")


def quality_docs() -> Path:
    """Folder of the pages that tell what the checks of the last day found."""
    return data_folder() / "quality"


def _secrets(purpose: str) -> list[str]:
    """Secrets of our own, the current one first: from the connection amazon_support_archive (its password, then
    `previous` of its extra, newest first), else from Airflow's Fernet keys.

    Airflow has a Fernet key anyway (it encrypts connections with it); one connection less to set up.
    """
    try:
        connection = BaseHook.get_connection(ARCHIVE_CONNECTION)
        bases = [connection.password, *connection.extra_dejson.get("previous", [])]
    except AirflowNotFoundException:
        from airflow.configuration import conf

        bases = conf.get("core", "fernet_key").split(",")
    if not all(bases):
        raise BadCredentials(
            "No secret for the mail archive: set [core] fernet_key, or add a connection "
            f"{ARCHIVE_CONNECTION} with a password."
        )
    return [hashlib.sha256(f"{purpose}:{base}".encode()).hexdigest() for base in bases]


def _connection(connection_id: str, named_in: str) -> Any:
    try:
        return BaseHook.get_connection(connection_id)
    except AirflowNotFoundException:
        raise BadCredentials(
            f"There is no Airflow connection {connection_id} (named in {named_in}): add it under Admin, Connections."
        ) from None
