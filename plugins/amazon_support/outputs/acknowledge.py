"""Signed links in alerts by which somebody says "I see to it", and the fact that stops the ladder of a breach."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import Connection

from amazon_support.settings import Settings
from amazon_support.warehouse import run_step

VALID_FOR = timedelta(days=7)


class BadToken(Exception):
    """The token of a link is no good; the message says what to do."""


@dataclass(frozen=True)
class Breach:
    """What is acknowledged, and by whom (name of an agent).

    Attributes:
        topic: reply or deadline. cycle: of the ticket's clock.
    """

    account: str
    topic: str
    ticket_id: str
    cycle: int
    by: str


@dataclass(frozen=True)
class Links:
    """Makes and reads links.

    Attributes:
        keys: secrets, the one in use first; what older ones signed still counts. page: URL of the page that asks
            whether to acknowledge; empty: there is none yet, and messages have no links.
    """

    keys: Sequence[str]
    page: str = ""

    def to(self, breach: Breach, *, at: datetime) -> str | None:
        """Link to the page that asks; None without a page. It expires a week after `at` (aware UTC)."""
        return f"{self.page}/{self.token(breach, at=at)}" if self.page else None

    def token(self, breach: Breach, *, at: datetime) -> str:
        """The signed part of the link; names nobody, for links stand in logs."""
        until = int((at + VALID_FOR).timestamp())
        fields = [breach.account, breach.topic, breach.ticket_id, breach.cycle, _veiled(breach.by), until]
        signed: str = self._serializer().dumps(fields)
        return signed

    def read(self, token: str, settings: Settings, *, at: datetime) -> Breach:
        """What the token is about.

        Raises: BadToken if we did not sign it, it has expired at `at`, or its agent is not in the settings any more.
        """
        try:
            account, topic, ticket_id, cycle, who, until = self._serializer().loads(token)
        except (BadData, ValueError, TypeError):
            raise BadToken("This link is not one of ours, or it was cut off: copy the whole of it.") from None
        if at >= datetime.fromtimestamp(until, UTC):
            raise BadToken("This link has expired: the newest alert has one that is good.")
        for agent in settings.agents:
            if _veiled(agent.name) == who:
                return Breach(account, topic, ticket_id, cycle, agent.name)
        raise BadToken("This link is of somebody who is not in agents.yaml any more.")

    def _serializer(self) -> URLSafeSerializer:
        return URLSafeSerializer(list(reversed(self.keys)), salt="acknowledge an alert")


def acknowledge(connection: Connection, breach: Breach, *, at: datetime) -> bool:
    """Writes the fact in the caller's transaction: from `at` (aware UTC) on nobody is told again of this breach.

    Returns: whether it is new; a repeat changes nothing.
    """
    row = {
        "account": breach.account,
        "topic": breach.topic,
        "ticket_id": breach.ticket_id,
        "cycle": breach.cycle,
        "acknowledged_by": breach.by,
        "acknowledged_at": at,
    }
    return run_step(connection, "alerts/acknowledge.sql", row).rowcount == 1


def _veiled(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]
