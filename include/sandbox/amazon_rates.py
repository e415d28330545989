"""Amazon's usage plans: a token bucket for each seller, region and operation."""

from dataclasses import dataclass
from datetime import datetime

from sandbox.amazon_models import Operation
from sandbox.world import Seller

ROUNDING = 1e-9  # who waits exactly 1/rate seconds must not be refused for a rounding error


@dataclass
class _Bucket:
    tokens: float
    filled_at: datetime


class RateLimits:
    """Rates and bursts of the models, both multiplied by `factor`; a burst is at least one request."""

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._buckets: dict[tuple[str, str, str], _Bucket] = {}

    def rate(self, operation: Operation) -> float:
        """Requests a second."""
        return operation.rate * self._factor

    def take(self, seller: Seller, operation: Operation, now: datetime) -> bool:
        """Whether the request is within the plan; if so, it is counted."""
        burst = max(1.0, operation.burst * self._factor)
        key = (seller.account, seller.region, operation.name)
        bucket = self._buckets.setdefault(key, _Bucket(burst, now))
        elapsed = max(0.0, (now - bucket.filled_at).total_seconds())
        bucket.tokens = min(burst, bucket.tokens + elapsed * self.rate(operation))
        bucket.filled_at = now
        if bucket.tokens < 1 - ROUNDING:
            return False
        bucket.tokens -= 1
        return True
