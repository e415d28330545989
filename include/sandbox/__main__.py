"""`python -m sandbox serve`: Amazon, a mailbox for each account, a desk's exports and a mail server, over an invented
history."""

import argparse
import csv
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.amazon import TOKEN_PATH, create_app
from sandbox.http import serve
from sandbox.mail_servers import ImapServer, SmtpSink, imap_server, smtp_sink
from sandbox.world import World, demo_sellers, generate


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; DIR/servers.json is there from when all servers answer until they stop."""
    options = _options(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sellers = [seller for seller in demo_sellers() if seller.account in options.accounts]
    world = generate(
        seed=options.seed,
        until=options.until,
        days=options.days,
        sellers=sellers,
        orders_per_day=options.orders_per_day,
    )
    mailboxes = {account: [mail for mail in world.mails if mail.account == account] for account in options.accounts}
    listing = options.folder / "servers.json"
    listing.parent.mkdir(parents=True, exist_ok=True)
    listing.unlink(missing_ok=True)
    with ExitStack() as servers:
        app = create_app(world, rate_factor=options.rate_factor)
        amazon_url = servers.enter_context(serve(app, port=options.amazon_port))
        imap = servers.enter_context(imap_server(mailboxes, port=options.imap_port))
        smtp = servers.enter_context(smtp_sink(options.folder / "mail", port=options.smtp_port))
        folders = export_review_requests(world, options.folder / "desks", options.until)
        _write(listing, describe(world, amazon_url, imap, smtp) | {"review_requests": folders})
        print(f"Serving {len(world.mails)} mails and {sum(map(len, world.orders.values()))} orders; see {listing}")
        sys.stdout.flush()
        stop.wait()
        listing.unlink(missing_ok=True)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    accounts = sorted({seller.account for seller in demo_sellers()})
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("serve", help="start all servers and run until SIGTERM")
    command.add_argument("--folder", type=Path, required=True, help="gets servers.json, mail/*.eml, desks/*/*.csv")
    command.add_argument("--until", type=_instant, default="now", help="end of the history, ISO 8601 with zone")
    command.add_argument("--days", type=int, default=30, help="length of the history")
    command.add_argument("--seed", type=int, default=7, help="another number, another history")
    command.add_argument("--orders-per-day", type=float, default=12, help="of each account in each region")
    command.add_argument("--accounts", nargs="+", choices=accounts, default=accounts, metavar="ACCOUNT")
    command.add_argument("--rate-factor", type=float, default=1.0, help="multiplies Amazon's rate limits")
    for server in ("amazon", "imap", "smtp"):
        command.add_argument(f"--{server}-port", type=int, default=0, help="0: any free one")
    return parser.parse_args(arguments)


def _instant(text: str) -> datetime:
    at = datetime.now(UTC) if text == "now" else datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no time zone; write for example {text}+00:00")
    return at.astimezone(UTC)


def describe(world: World, amazon_url: str, imap: ImapServer, smtp: SmtpSink) -> dict[str, Any]:
    """Where the servers are, and what lets one in: what a user of real ones would know."""
    return {
        "amazon_url": amazon_url,
        "token_url": amazon_url + TOKEN_PATH,
        "imap": {
            "host": imap.host,
            "port": imap.port,
            "users": {account: asdict(login) for account, login in imap.users.items()},
        },
        "smtp": {"host": smtp.host, "port": smtp.port},
        "sellers": [asdict(seller) for seller in world.sellers],
    }


def export_review_requests(world: World, folder: Path, written_at: datetime) -> dict[str, str]:
    """A desk's list of what its automation asked for, a folder each account; returns the folders by account."""
    for account, asked in world.review_requests.items():
        path = folder / account / "review_requests.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["Order ID", "Status", "Sent Date"])
            writer.writerows((order_id, "Sent", f"{at:%Y-%m-%d %H:%M:%S}") for order_id, at in asked)
        os.utime(path, (written_at.timestamp(), written_at.timestamp()))
    return {account: str(folder / account) for account in world.review_requests}


def _write(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all."""
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(content, indent=2) + "\n")
    unfinished.replace(path)


if __name__ == "__main__":
    sys.exit(main())
