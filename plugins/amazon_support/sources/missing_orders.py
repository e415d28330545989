"""Orders that mail names and nobody has seen: placeholders, asked for one by one until Amazon knows them."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Engine

from amazon_support.settings import Settings
from amazon_support.sources.amazon import AmazonClient
from amazon_support.sources.errors import BadCredentials, ComeBackAt, NotFound, SourceError, Throttled, Unavailable
from amazon_support.sources.memory import Memory
from amazon_support.sources.order_history import Pulled
from amazon_support.warehouse import run_step
from amazon_support.warehouse.land import land_orders
from amazon_support.window import Window

log = logging.getLogger(__name__)

MEMORY = "missing_orders"
MOST = 200  # orders in one run
TOGETHER = 25  # orders landed in one transaction
# Between an attempt and the next. A mail may be here before Amazon shows its order; after the last wait nobody asks
# again, the order id may be a slip of the pen.
WAITS = [
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=7),
]


def pull_missing_orders(
    engine: Engine,
    client: AmazonClient,
    settings: Settings,
    window: Window,
    *,
    memory: Memory,
    folder: Path,
    now: datetime,
) -> Pulled:
    """Lands the orders of the account and region that are placeholders and due to be asked for.

    Every attempt is noted in ops.order_lookup with the next one's instant: an order that Amazon does not know, that
    the checks refuse, or on which Amazon fails is asked for again after WAITS, then no more.

    Args:
        window: of the run; what lands is as Amazon tells it at `now`, whatever hour the run is for.
        memory: how many orders the run has asked for already.
        folder: not used; all pulls are called alike.
        now: wall clock, aware UTC.

    Raises: ComeBackAt when the next call has to be waited for, SourceError when Amazon refuses all calls; what came
        until then was landed.
    """
    progress = _Progress.model_validate(memory.get(MEMORY) or {})
    account, region = client.credentials.account, client.credentials.region
    ids = settings.marketplace_ids(settings.account(account), region)
    countries = [settings.by_id[marketplace_id].country for marketplace_id in ids]
    while due := _due(engine, client, countries, now, most=min(TOGETHER, MOST - progress.asked)):
        asked = _ask(client, due)
        _land(engine, client, Window(window.start, max(window.end, now), live=False), asked, progress, now)
        memory.set(MEMORY, progress.model_dump(mode="json"))
        if asked.stopped_by:
            raise asked.stopped_by
    memory.delete(MEMORY)
    via = "getOrder" if progress.asked else "nothing"
    return Pulled(account, region, progress.batch_ids, progress.orders, via, client.calls)


def accounts_with_missing_orders(engine: Engine, *, now: datetime) -> set[str]:
    """The accounts that have placeholders to ask for now.

    Args:
        now: wall clock, aware UTC.
    """
    with engine.connect() as connection:
        return set(run_step(connection, "sources/accounts_with_missing_orders.sql", {"now": now}).scalars())


class _Progress(BaseModel):
    """What a run has done until now, as it is remembered between attempts."""

    asked: int = 0
    orders: int = 0
    batch_ids: list[int] = []


@dataclass(frozen=True)
class _Asked:
    """What became of some order ids: the orders, how each attempt ended, and what kept us from asking for the rest."""

    orders: list[dict[str, Any]]
    outcomes: Mapping[str, str]
    stopped_by: ComeBackAt | SourceError | None


def _due(engine: Engine, client: AmazonClient, countries: list[str], now: datetime, *, most: int) -> list[str]:
    parameters = {
        "account": client.credentials.account,
        "region": client.credentials.region,
        "marketplaces": countries,
        "now": now,
        "most": most,
    }
    with engine.connect() as connection:
        return list(run_step(connection, "sources/missing_orders.sql", parameters).scalars())


def _ask(client: AmazonClient, order_ids: list[str]) -> _Asked:
    orders: list[dict[str, Any]] = []
    outcomes: dict[str, str] = {}
    for order_id in order_ids:
        try:
            orders.append(client.get_order(order_id))
        except NotFound:
            outcomes[order_id] = "not_found"
        except Unavailable as error:
            # Noted as an attempt, so that one order on which Amazon always fails does not keep us from the others.
            outcomes[order_id] = "no_answer"
            return _Asked(orders, outcomes, error)
        except (ComeBackAt, BadCredentials, Throttled) as stop:
            return _Asked(orders, outcomes, stop)
        except SourceError as error:
            log.warning("Order %s: %s", order_id, error)
            outcomes[order_id] = "refused"
        else:
            outcomes[order_id] = "found"
    return _Asked(orders, outcomes, None)


def _land(
    engine: Engine, client: AmazonClient, window: Window, asked: _Asked, progress: _Progress, now: datetime
) -> None:
    account, region = client.credentials.account, client.credentials.region
    attempts = {
        "account": account,
        "order_ids": list(asked.outcomes),
        "outcomes": list(asked.outcomes.values()),
        "asked_at": now,
        "waits": WAITS,
    }
    with engine.begin() as connection:
        if asked.orders:
            progress.batch_ids.append(
                land_orders(connection, account=account, region=region, window=window, orders=asked.orders)
            )
        run_step(connection, "sources/order_lookups.sql", attempts)
    progress.asked += len(asked.outcomes)
    progress.orders += len(asked.orders)
