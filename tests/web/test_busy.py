"""A warehouse that is asked too much: people are told at once, and nobody waits for ever."""

from contextlib import ExitStack

import pytest
from sqlalchemy import Engine
from visitors import Browser

from amazon_support.web import state


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "PATIENCE", 0.2)
    monkeypatch.setattr(state, "LONGEST_QUERY", "200ms")


def test_when_all_connections_are_in_use_the_page_says_try_again(impatient: None, browser: Browser) -> None:
    with ExitStack() as stack:
        for _ in range(15):  # as many as SQLAlchemy's pool has, overflow included
            stack.enter_context(state.warehouse_connection())
        answer = browser("lea").get("/worklist")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "All connections to the warehouse are in use. Try again in a few seconds." in answer.text
    assert browser("lea").get("/worklist").status_code == 200


def test_a_query_that_takes_too_long_is_ended(impatient: None, browser: Browser, warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        connection.exec_driver_sql("lock table mart.worklist_item in access exclusive mode")
        answer = browser("lea").get("/worklist")
    assert answer.status_code == 503
    assert "This took longer than 200ms. Ask for less: a filter helps." in answer.text
    assert browser("lea").get("/worklist").status_code == 200
