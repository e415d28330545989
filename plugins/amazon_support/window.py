"""The span of time that a run answers for."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Window:
    """Half-open span [start, end) in aware UTC. Answers of the run are true as of `end`.

    `live` runs may move watermarks and write to people; runs for past intervals and backfills may not.
    """

    start: datetime
    end: datetime
    live: bool

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError(f"window needs aware times, got {self.start} to {self.end}")
        if self.start >= self.end:
            raise ValueError(f"window is empty: {self.start} to {self.end}")

    @property
    def as_of(self) -> datetime:
        return self.end
