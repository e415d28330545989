"""What a comparison gives, and how time is taken."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Result:
    """One comparison: `ours` and `otherwise` in `unit`; `limit` as a multiple of `otherwise`."""

    what: str
    ours: float
    limit: float
    otherwise: float
    compared_with: str
    unit: str = "s"


def seconds(work: Callable[[], Any], times: int = 3) -> float:
    """Best of several: the least disturbed run tells most about the work."""

    def once() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return min(once() for _ in range(times))


def peak_memory(process: int | str = "self") -> float:
    """The most resident memory that a process has had, shared memory included, in MB."""
    # Not getrusage: it counts the memory of the process that started this one, too.
    [peak] = [line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(peak.split()[1]) * 1024 / 1e6
