"""A ticket on which much has happened: what runs and what was written come first."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from ticket_histories import KEY, fold, moment
from visitors import Browser

from amazon_support.web.tickets import CLOCKS_IN_SIGHT, CYCLES

CLOCK = re.compile(r"<td>[A-Z][a-z ]+\d* *<div")


def answered(warehouse: Engine, times: int) -> int:
    """A buyer who was answered so many times, and has just written again; how many clocks have started."""
    days = [moment("2026-01-01 08:00") + timedelta(days=day) for day in range(times)]
    each = [((day, "buyer_message"), (day + timedelta(hours=1), "reply")) for day in days]
    with warehouse.begin() as connection:
        fold(connection, *(event for both in each for event in both), (days[-1] + timedelta(hours=2), "buyer_message"))
        count: int = connection.exec_driver_sql("select count(*) from mart.sla_clock").scalar_one()
    return count


@pytest.mark.parametrize("times", [2, 8, 40])
def test_clocks_of_the_past_do_not_push_down_what_was_written(browser: Browser, warehouse: Engine, times: int) -> None:
    started = answered(warehouse, times)
    page = browser("ana").get(f"/tickets/main/{KEY}").text
    clocks = page[page.index("<h2>Clocks</h2>") : page.index("What happened")]
    in_sight, earlier = (len(CLOCK.findall(part)) for part in clocks.partition("<details>")[::2])
    running = len(re.findall(r'class="left ', clocks))
    assert running > 0
    assert min(started, CLOCKS_IN_SIGHT) <= in_sight <= CLOCKS_IN_SIGHT + running
    assert min(started, CYCLES) <= in_sight + earlier <= CYCLES + running
    assert (f"<summary>{earlier} earlier</summary>" in clocks) == (earlier > 0)
    left_out = started - in_sight - earlier
    assert (f"{left_out} older cycles are not shown" in clocks) == (left_out > 0)
