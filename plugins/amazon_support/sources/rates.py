"""Amazon's rates: who may call when, decided in the warehouse for all workers of all hosts."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from amazon_support.sources.errors import ComeBackAt
from amazon_support.sources.memory import Memory
from amazon_support.warehouse import run_step

PATIENCE = timedelta(seconds=60)  # a turn later than this is not worth a worker that sleeps
A_BLINK = timedelta(milliseconds=1)  # a turn this near has come: every turn adds an interval rounded to microseconds


@dataclass(frozen=True)
class Plan:
    """A usage plan: calls a second in the long run, and calls at once."""

    rate: float
    burst: int


# Source: Selling Partner API documentation, usage plans of orders 2026-01-01, reports 2021-06-30 and sellers v1.
# Amazon's header x-amzn-RateLimit-Limit wins over them.
PUBLISHED = {
    "searchOrders": Plan(0.0056, 20),
    "getOrder": Plan(0.5, 30),
    "createReport": Plan(0.0167, 15),
    "getReport": Plan(2, 15),
    "getReports": Plan(0.0222, 10),
    "getReportDocument": Plan(0.0167, 15),
    "getMarketplaceParticipations": Plan(0.016, 15),
}


def utc_now() -> datetime:
    return datetime.now(UTC)


class RateLimiter:
    """Gives each call its turn within the rates of one account and region.

    A turn is taken by one statement, in its own transaction: whoever asks first calls first, on whatever host, and
    nothing is locked while anybody waits. A turn that is too far off is kept in `memory` and used when the pull comes
    back; a pull that never comes back has wasted one call of the rate, nothing else.

    Args:
        run: what the calls are counted for in ops.api_call.
        memory: of the pull that makes the calls.
        clock, sleep: for tests on a simulated clock.
        patience: how long a worker may sleep for one turn.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        account: str,
        region: str,
        run: str,
        memory: Memory,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._engine = engine
        self._who = {"account": account, "region": region}
        self._run = run
        self._memory = memory
        self._clock = clock
        self._sleep = sleep
        self._patience = patience
        self._rates: dict[str, float] = {}

    def wait(self, operation: str) -> None:
        """Takes a turn for the operation and returns when it has come.

        Raises: ComeBackAt if that is longer than `patience`; the turn is kept for who comes back.
        """
        turn = self._kept_turn(operation) or self._take_turn(operation)
        now = self._clock()
        if turn - now > self._patience:
            self._memory.set(_slot(operation), turn.isoformat())
            raise ComeBackAt(turn, f"the next turn for {operation} ({', '.join(self._who.values())}) is later")
        self._memory.delete(_slot(operation))
        if turn - now > A_BLINK:
            self._sleep((turn - now).total_seconds())

    def learn(self, operation: str, rate: float) -> None:
        """Takes over the rate (calls a second) that Amazon names."""
        if rate > 0 and not math.isclose(rate, self._rates.get(operation, 0), rel_tol=1e-3):
            self._do("learn", operation, rate=rate, now=self._clock())
            self._rates[operation] = rate

    def refused(self, operation: str) -> None:
        """Amazon answered 429: somebody else uses the same quota, so the bucket is empty whatever we counted."""
        self._do("refused", operation, now=self._clock(), run=self._run)

    def affordable(self, operation: str, within: timedelta) -> int:
        """How many calls would get their turn within that time, if nobody else called."""
        bucket = self._do("bucket", operation)
        plan = PUBLISHED[operation]
        rate, burst, backlog = plan.rate, plan.burst, 0.0
        if bucket:
            rate, burst = bucket.rate, bucket.burst
            backlog = max(0.0, (bucket.full_at - self._clock()).total_seconds())
        return max(0, math.floor(burst + rate * (within.total_seconds() - backlog) + 1e-6))

    def _kept_turn(self, operation: str) -> datetime | None:
        kept = self._memory.get(_slot(operation))
        return datetime.fromisoformat(kept) if kept else None

    def _take_turn(self, operation: str) -> datetime:
        plan = PUBLISHED[operation]
        row = self._do("take_turn", operation, run=self._run, now=self._clock(), rate=plan.rate, burst=plan.burst)
        self._rates[operation] = row.rate
        turn: datetime = row.turn_at
        return turn

    def _do(self, step: str, operation: str, **parameters: Any) -> Any:
        with self._engine.begin() as connection:
            result = run_step(connection, f"rates/{step}.sql", {**self._who, "operation": operation, **parameters})
            return result.one_or_none() if result.returns_rows else None


def _slot(operation: str) -> str:
    return f"slot:{operation}"
