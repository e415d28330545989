"""What a real SMTP server (aiosmtpd) does with its mail: keeps it, refuses it, stalls or hangs up when told to."""

import asyncio
import email
import email.policy
import threading
from email.message import EmailMessage
from typing import Any


class Inbox:
    """What came in, in its order.

    Attributes:
        answers: given for a recipient or sender in turn before it is accepted.
        stalls_at: EHLO, MAIL, RCPT, DATA (before the mail is kept) or KEPT (after that, before the answer): there the
            server sets `reached` and says nothing until it is set to something else, or the client is gone, which
            sets `left`. hangs_up: mails that are kept without an answer, the connection closed.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: dict[str, list[str]] = {}
        self.connections = 0
        self.port = 0
        self.stalls_at = ""
        self.hangs_up = 0
        self.reached, self.left = threading.Event(), threading.Event()

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += 1
        await self._pass("EHLO")
        return responses

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        await self._pass("MAIL")
        if self.answers.get(address):
            return self.answers[address].pop(0)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        await self._pass("RCPT")
        if self.answers.get(address):
            return self.answers[address].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await self._pass("DATA")
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        await self._pass("KEPT")
        if self.hangs_up:
            self.hangs_up -= 1
            server.transport.abort()
        return "250 taken"

    async def _pass(self, stage: str) -> None:
        try:
            while self.stalls_at == stage:
                self.reached.set()
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            self.left.set()
            raise

    def subjects(self) -> list[str]:
        return [mail["Subject"] for mail in self.mails]
