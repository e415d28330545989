"""Every call takes its turn: never faster than Amazon allows, in the order of asking, whoever asks and from where."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from amazon_support.sources.errors import ComeBackAt
from amazon_support.sources.memory import ShortMemory
from amazon_support.sources.rates import PUBLISHED, RateLimiter

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
OPERATION = "createReport"  # 15 at once, then one a minute
BURST, RATE = PUBLISHED[OPERATION].burst, PUBLISHED[OPERATION].rate
LONG = timedelta(days=9)
A_BLINK = timedelta(milliseconds=1)  # rounding


class Clock:
    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def limiter(
    warehouse: Engine,
    clock: Clock,
    memory: ShortMemory | None = None,
    account: str = "shop",
    run: str = "run",
    patience: timedelta = LONG,
) -> RateLimiter:
    """As a worker makes it; it sleeps for any turn unless a patience is given."""
    return RateLimiter(
        warehouse, account=account, region="eu", run=run, memory=memory or ShortMemory(), clock=clock,
        sleep=clock.sleep, patience=patience,
    )  # fmt: skip


def calls(warehouse: Engine) -> list[tuple[str, int, int]]:
    with warehouse.connect() as connection:
        return [tuple(row) for row in connection.execute(text("select run, calls, throttled from ops.api_call"))]


def test_a_burst_goes_at_once_and_then_one_after_the_other(warehouse: Engine, clock: Clock) -> None:
    ours = limiter(warehouse, clock)
    for _ in range(BURST):
        ours.wait(OPERATION)
    assert clock.now - NOON < A_BLINK
    ours.wait(OPERATION)
    assert (clock.now - NOON).total_seconds() == pytest.approx(1 / RATE)
    assert calls(warehouse) == [("run", BURST + 1, 0)]


@hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pauses=st.lists(st.floats(0, 400), min_size=20, max_size=60))
def test_never_more_calls_in_any_span_than_the_plan_allows(warehouse: Engine, pauses: list[float]) -> None:
    with warehouse.begin() as connection:
        connection.execute(text("truncate ops.rate_bucket"))
    clock = Clock()
    ours = limiter(warehouse, clock)
    called_at = []
    for pause in pauses:
        clock.sleep(pause)
        ours.wait(OPERATION)
        called_at.append((clock.now - NOON).total_seconds())
    for first, since in enumerate(called_at):
        for last in range(first, len(called_at)):
            assert last - first + 1 <= BURST + RATE * (called_at[last] - since) + 1e-3


def test_turns_come_in_the_order_in_which_they_were_asked_for(warehouse: Engine, clock: Clock) -> None:
    for _ in range(BURST):
        limiter(warehouse, clock).wait(OPERATION)
    turns = []
    for _ in range(4):  # four workers, none of which waits here
        with pytest.raises(ComeBackAt) as later:
            limiter(warehouse, clock, patience=timedelta(0)).wait(OPERATION)
        turns.append((later.value.moment - NOON).total_seconds())
    assert turns == pytest.approx([1 / RATE, 2 / RATE, 3 / RATE, 4 / RATE])


def test_a_turn_too_far_off_is_kept_for_who_comes_back(warehouse: Engine, clock: Clock) -> None:
    for _ in range(BURST + 2):
        limiter(warehouse, Clock(), patience=LONG).wait(OPERATION)
    memory = ShortMemory()
    with pytest.raises(ComeBackAt) as later:
        limiter(warehouse, clock, memory, patience=timedelta(seconds=60)).wait(OPERATION)
    assert later.value.moment > NOON + timedelta(seconds=120)
    assert calls(warehouse) == [("run", BURST + 3, 0)]
    clock.now = later.value.moment
    limiter(warehouse, clock, memory, patience=timedelta(seconds=60)).wait(OPERATION)
    assert clock.now == later.value.moment, "it did not queue again"
    assert calls(warehouse) == [("run", BURST + 3, 0)]


def test_who_comes_back_too_early_keeps_the_same_turn(warehouse: Engine, clock: Clock) -> None:
    for _ in range(BURST + 3):
        limiter(warehouse, Clock()).wait(OPERATION)
    memory, moments = ShortMemory(), set()
    for _ in range(3):
        with pytest.raises(ComeBackAt) as later:
            limiter(warehouse, clock, memory, patience=timedelta(seconds=60)).wait(OPERATION)
        moments.add(later.value.moment)
        clock.sleep(10)
    assert len(moments) == 1


def test_no_account_and_no_operation_waits_for_another(warehouse: Engine, clock: Clock) -> None:
    for _ in range(BURST + 5):
        limiter(warehouse, Clock(), account="busy").wait(OPERATION)
    limiter(warehouse, clock, account="quiet").wait(OPERATION)
    limiter(warehouse, clock, account="busy").wait("getReportDocument")
    assert clock.now - NOON < A_BLINK


def test_the_rate_that_amazon_names_wins(warehouse: Engine, clock: Clock) -> None:
    ours = limiter(warehouse, clock)
    for _ in range(BURST):
        ours.wait(OPERATION)
    ours.learn(OPERATION, 0.5)
    clock.sleep(BURST / RATE)  # full again
    began = clock.now
    for _ in range(BURST + 1):
        limiter(warehouse, clock).wait(OPERATION)
    assert (clock.now - began).total_seconds() == pytest.approx(2)


def test_after_a_refusal_the_bucket_is_empty(warehouse: Engine, clock: Clock) -> None:
    ours = limiter(warehouse, clock)
    ours.wait(OPERATION)
    ours.refused(OPERATION)
    ours.wait(OPERATION)
    assert (clock.now - NOON).total_seconds() == pytest.approx(1 / RATE)
    assert calls(warehouse) == [("run", 2, 1)]


@pytest.mark.parametrize(("made", "minutes"), [(0, 0), (3, 0), (15, 5), (18, 10), (40, 10)])
def test_what_is_affordable_is_what_then_goes(warehouse: Engine, clock: Clock, made: int, minutes: int) -> None:
    for _ in range(made):
        limiter(warehouse, Clock()).wait(OPERATION)
    within = timedelta(minutes=minutes)
    expected = limiter(warehouse, clock).affordable(OPERATION, within)
    went = 0
    while True:
        limiter(warehouse, clock).wait(OPERATION)
        if clock.now > NOON + within + A_BLINK:
            break
        went += 1
    assert went == expected


def test_two_workers_at_once_never_take_the_same_turn(warehouse: Engine) -> None:
    turns: list[datetime] = []

    def work() -> None:
        for _ in range(20):
            try:
                limiter(warehouse, Clock(), patience=A_BLINK).wait(OPERATION)
            except ComeBackAt as later:
                turns.append(later.moment)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(turns) == 40 - BURST
    assert len(set(turns)) == len(turns)
