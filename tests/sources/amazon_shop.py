"""A shop at Amazon's stand-in, on a clock that the test turns, and pulls as a runner makes them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import landing
from sqlalchemy import Engine, text

from amazon_support import settings
from amazon_support.settings import Settings
from amazon_support.sources import positions
from amazon_support.sources.amazon import AmazonClient, Credentials
from amazon_support.sources.errors import ComeBackAt
from amazon_support.sources.memory import ShortMemory
from amazon_support.sources.order_history import Pulled
from amazon_support.sources.rates import PATIENCE, PUBLISHED, RateLimiter
from amazon_support.window import Window
from sandbox.amazon import TOKEN_PATH, create_app
from sandbox.amazon_faults import Faults
from sandbox.amazon_feedback import Feedback
from sandbox.http import serve
from sandbox.world import Seller, World

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
NOON = landing.NOON
SHIPPED = settings.load()
SETTINGS = SHIPPED.model_copy(update={"accounts": (settings.Account(name="shop"),)})
MARKETPLACES = {
    region: tuple(m.country for m in SHIPPED.marketplaces if m.region == region) for region in ("na", "eu", "fe")
}


def seller(region: str = "eu") -> Seller:
    return Seller("shop", region, MARKETPLACES[region], "id", "secret", f"Atzr|shop-{region}", f"ASHOP{region}")


def order(number: int, changed_at: datetime, country: str = "DE", **changes: Any) -> dict[str, Any]:
    """An order placed an hour before its last change."""
    site = SHIPPED.by_country[country]
    channel = {
        "channelName": "AMAZON",
        "marketplaceId": site.marketplace_id,
        "marketplaceName": site.domain.capitalize(),
    }
    times = {"createdTime": landing.iso(changed_at - HOUR), "lastUpdatedTime": landing.iso(changed_at)}
    return landing.order(landing.order_id(number), salesChannel=channel, **times | changes)


def orders(count: int, changed_at: datetime, apart: timedelta = timedelta(0), first: int = 1) -> list[dict[str, Any]]:
    """Orders changed at `changed_at` and each `apart` later than the one before."""
    return [order(first + place, changed_at + place * apart) for place in range(count)]


@dataclass
class Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Shop:
    """What a test needs to pull: the warehouse, the stand-in, its clock and faults."""

    warehouse: Engine
    url: str
    clock: Clock
    faults: Faults
    folder: Path
    settings: Settings = SETTINGS

    def client(self, memory: ShortMemory, region: str = "eu", patience: timedelta = PATIENCE) -> AmazonClient:
        """As a new process would make it."""
        from sp_api.auth.access_token_client import cache

        cache.clear()  # kept by the process, by the real clock
        limiter = RateLimiter(
            self.warehouse,
            account="shop",
            region=region,
            run="test",
            memory=memory,
            clock=self.clock,
            sleep=self.clock.sleep,
            patience=patience,
        )
        credentials = Credentials(
            f"amazon_sp_api_shop_{region}", "shop", region, "id", "secret", f"Atzr|shop-{region}",
            self.url, self.url + TOKEN_PATH,
        )  # fmt: skip
        return AmazonClient(credentials, limiter, sleep=self.clock.sleep, clock=self.clock)

    def attempt(self, pull: Callable[..., Pulled], window: Window, memory: ShortMemory, region: str = "eu") -> Pulled:
        """One attempt of one process."""
        return pull(
            self.warehouse,
            self.client(memory, region),
            self.settings,
            window,
            memory=memory,
            folder=self.folder,
            now=self.clock.now,
        )

    def pull(
        self, pull: Callable[..., Pulled], window: Window, memory: ShortMemory | None = None, region: str = "eu"
    ) -> Pulled:
        """Attempts, each in a new process, until the pull is no longer sent away to wait."""
        memory = memory or ShortMemory()
        while True:
            try:
                return self.attempt(pull, window, memory, region)
            except ComeBackAt as wait:
                self.clock.now = max(self.clock.now, wait.moment)

    def column(self, query: str, **parameters: Any) -> list[Any]:
        with self.warehouse.connect() as connection:
            return list(connection.execute(text(query), parameters).scalars())

    def watermark(self, region: str = "eu") -> datetime | None:
        found = self.column("select position ->> 'updated_before' from ops.watermark where scope = :s", s=region)
        return datetime.fromisoformat(found[0]) if found else None

    def pulled(self, source: str) -> dict[str, tuple[datetime, datetime]]:
        """By region or marketplace from when to when the source was asked to the end."""
        query = "select scope, lower(spans), upper(spans) from ops.pulled where source = :source"
        with self.warehouse.connect() as connection:
            return {scope: (start, end) for scope, start, end in connection.execute(text(query), {"source": source})}

    def read_until(self, moment: datetime, region: str = "eu") -> None:
        """An earlier live pull came this far."""
        with self.warehouse.begin() as connection:
            positions.move(connection, "shop", "orders", region, {"updated_before": moment.isoformat()})

    def searched(self) -> list[str]:
        """Ids of the orders that searching landed, as often as they were landed."""
        return sorted(self.column("select order_id from raw.order_received"))

    def drain(self, operation: str = "searchOrders", region: str = "eu") -> None:
        """Others have used up the operation's calls for now."""
        client = self.client(ShortMemory(), region)
        assert client.limiter is not None
        for _ in range(PUBLISHED[operation].burst):
            client.limiter.wait(operation)


@contextmanager
def running(
    warehouse: Engine,
    folder: Path,
    stock: Sequence[dict[str, Any]] | dict[str, list[dict[str, Any]]],
    *,
    feedback: Sequence[Feedback] = (),
    now: datetime = NOON + 5 * MINUTE,
    rate_factor: float = 1.0,
) -> Iterator[Shop]:
    """A shop with the orders (of region eu, or by region) at the real rates; feedback is of the first region."""
    by_region = stock if isinstance(stock, dict) else {"eu": list(stock)}
    world = World(
        sellers=tuple(seller(region) for region in by_region),
        orders={("shop", region): list(found) for region, found in by_region.items()},
        mails=[],
        feedback={("shop", next(iter(by_region))): list(feedback)},
    )
    clock, faults = Clock(now), Faults()
    with serve(create_app(world, clock=clock, faults=faults, rate_factor=rate_factor)) as url:
        yield Shop(warehouse, url, clock, faults, folder)


def hour_before(end: datetime, *, live: bool = True) -> Window:
    return Window(end - HOUR, end, live=live)
