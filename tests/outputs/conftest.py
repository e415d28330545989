"""A real SMTP server that keeps what it is sent."""

import socket
from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller
from smtp_inbox import Inbox

from amazon_support.outputs.channels import SmtpTransport


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    inbox.port, inbox.connections = port, 0
    yield inbox
    controller.stop()


@pytest.fixture
def transport(inbox: Inbox) -> Iterator[SmtpTransport]:
    with SmtpTransport("127.0.0.1", inbox.port, sender="support-desk@shop.example") as transport:
        yield transport
