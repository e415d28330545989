"""Recomputing: what is different by other rules, why, and that telling it changes nothing."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from sqlalchemy import Engine
from ticket_histories import KEY, POLICY, answers, history, moment, record

from amazon_support import settings, tickets
from amazon_support.cli import main
from amazon_support.settings import ServiceLevels
from amazon_support.tickets import recompute, replay
from amazon_support.warehouse import connect

SINCE, UNTIL = moment("2026-03-01 00:00"), moment("2026-03-20 00:00")
ASKED = ("2026-03-02 08:00", "buyer_message")
QUICKER = "target of default 24:00:00 -> 02:00:00"
OFFICE = {"timezone": "Europe/Berlin", "hours": {"mon-fri": ["10:00-17:00"]}}


def policy(**fields: Any) -> dict[str, Any]:
    return {"name": "default", "metrics": {"amazon_reply": "24h"}, **fields}


def folded_by(warehouse: Engine, told: list[dict[str, Any]], given: Any) -> None:
    with warehouse.begin() as connection:
        record(connection, told)
        tickets.fold(connection, *replay.tried(given, settings.load()))


def difference(given: Any, until: datetime = UNTIL) -> recompute.Recomputed:
    rules = replay.tried(given, settings.load())
    with replay.scratch() as scratch, connect() as warehouse:
        return recompute.try_recompute(warehouse, scratch, rules, since=SINCE, until=until)


def changes(found: recompute.Recomputed) -> list[tuple[Any, ...]]:
    return [(change.what, change.metric, change.before, change.after, change.because) for change in found.changes]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (policy(), policy(), []),
        (
            policy(),
            policy(metrics={"amazon_reply": "2h"}),
            [
                ("breach", "amazon_reply", None, "2026-03-02 10:00:00", QUICKER),
                ("due", "amazon_reply", "2026-03-03 08:00:00", "2026-03-02 10:00:00", QUICKER),
            ],
        ),
        (
            policy(metrics={"team": "1h"}),
            policy(metrics={"team": "1h"}, calendar=OFFICE),
            [
                ("due", "team", "2026-03-02 09:00:00", "2026-03-02 10:00:00", "calendar 24x7 -> default/hours"),
                ("breach", "team", "2026-03-02 09:00:00", "2026-03-02 10:00:00", "calendar 24x7 -> default/hours"),
            ],
        ),
        (
            policy(metrics={"team": "1h"}, calendar=OFFICE),
            policy(metrics={"team": "1h"}, calendar={**OFFICE, "dates": {"2026-03-02": "closed"}}),
            [
                ("breach", "team", "2026-03-02 10:00:00", None, "hours of calendar default/hours"),
                ("due", "team", "2026-03-02 10:00:00", "2026-03-03 10:00:00", "hours of calendar default/hours"),
            ],
        ),
        (
            policy(),
            policy(name="quick"),
            [],
        ),
        (
            policy(),
            policy(metrics={"amazon_reply": "24h", "first_response": "8h"}),
            [
                ("clock", "first_response", None, "2026-03-02 08:00:00", "policy default"),
                ("due", "first_response", None, "2026-03-02 16:00:00", "policy default"),
                ("stop", "first_response", None, "2026-03-02 11:00:00 by reply", "policy default"),
            ],
        ),
        (
            policy(),
            policy(solve_after_silence="1d"),
            [
                ("status", None, None, "solved by auto_solve", "solve_after_silence"),
                ("status", None, "solved by auto_solve", None, "solve_after_silence"),
                ("status", None, None, "closed by auto_close", "close_after_solved"),
                ("status", None, "closed by auto_close", None, "close_after_solved"),
            ],
        ),
    ],
    ids=["same", "target", "calendar", "hours", "name", "metric", "silence"],
)  # fmt: skip
def test_what_changes_and_why(warehouse: Engine, before: Any, after: Any, expected: list[Any]) -> None:
    folded_by(warehouse, history(ASKED, ("2026-03-02 11:00", "reply")), before)
    found = difference(after)
    assert found.tickets == 1
    assert sorted(map(str, changes(found))) == sorted(map(str, expected))
    assert all(change.event == "buyer_message test e1" for change in found.changes if change.metric)


def test_events_that_nobody_folded_are_named_as_the_reason(warehouse: Engine) -> None:
    folded_by(warehouse, history(ASKED), policy())
    with warehouse.begin() as connection:
        record(connection, history(ASKED, ("2026-03-02 11:00", "reply")))
    found = difference(policy())
    assert {change.because for change in found.changes} == {"events that had not been folded"}
    assert ("status", "pending by reply") in {(change.what, change.after) for change in found.changes}


def test_only_tickets_alive_in_the_span_are_looked_at(warehouse: Engine) -> None:
    told = history(("2025-01-01 08:00", "buyer_message"), ("2025-01-01 09:00", "reply"))
    folded_by(warehouse, told, policy())
    assert difference(policy(metrics={"amazon_reply": "30m"})).tickets == 0


GAPS = st.sampled_from([0, 1, 9, 26, 200, 900])
KINDS = st.sampled_from(["buyer_message", "reply", "hold", "solve", "unread"])
STEPS = st.lists(st.tuples(GAPS, KINDS), min_size=1, max_size=6)
POLICIES = [
    policy(),
    policy(metrics={"amazon_reply": "8h", "resolution": "3d"}),
    policy(metrics={"team": "8h"}, calendar=OFFICE),
    policy(solve_after_silence="2d"),
]


@options(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories=st.lists(STEPS, min_size=1, max_size=3), rules=st.permutations(POLICIES))
def test_trying_tells_what_applying_does_and_leaves_everything_alone(
    warehouse: Engine, histories: Any, rules: list[Any]
) -> None:
    with warehouse.begin() as connection:
        for table in ("core.ticket_event", "mart.ticket", "mart.ticket_status", "mart.sla_clock", "mart.sla_pause"):
            connection.exec_driver_sql(f"delete from {table}")
    told = []
    for number, steps in enumerate(histories):
        hours, happened = 0, []
        for gap, kind in steps:
            hours += gap
            happened.append((f"2026-{3 + hours // 672:02}-{1 + hours % 672 // 24:02} {hours % 24:02}:00", kind))
        told += history(*happened, key=f"T{number}")
    told = [{**each, "source_id": f"{place}"} for place, each in enumerate(told)]
    folded_by(warehouse, told, rules[0])
    with warehouse.begin() as connection:
        before = answers(connection)
    end = moment("2027-01-01 00:00")
    found = difference(rules[1], end)
    with warehouse.begin() as connection:
        assert answers(connection) == before
        done = recompute.recompute(connection, replay.tried(rules[1], settings.load()), since=SINCE, until=end)
        after = answers(connection)
        tickets.fold_all(connection, *replay.tried(rules[1], settings.load()))
        assert answers(connection) == after
    assert done.changes == found.changes
    assert difference(rules[1], end).changes == ()


# ---------- the command


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["tickets", "recompute", *arguments])


def test_the_command_tells_and_applies_only_when_asked(warehouse: Engine, tmp_path: Path) -> None:
    with warehouse.begin() as connection:
        record(connection, history(ASKED, ("2026-03-02 11:00", "reply")))
        tickets.fold(connection, POLICY, tickets.Promises(ServiceLevels()))
        before = answers(connection)
    file = tmp_path / "quick.yaml"
    file.write_text("service_levels: {policies: [{name: quick, metrics: {amazon_reply: 2h}}]}")
    span = ("--from", "2026-03-01", "--to", "2026-03-10", "--policy", str(file))
    told = run(*span)
    assert told.exit_code == 0, told.output
    assert "1 of the tickets of 1 conversations would change" in told.output
    assert "newly breached: policy default -> quick" in told.output
    assert f"main/{KEY}" in told.output
    with warehouse.begin() as connection:
        assert answers(connection) == before
    applied = run(*span, "--apply", "--json")
    assert applied.exit_code == 0, applied.output
    assert json.loads(applied.stdout)["applied"] is True
    with warehouse.begin() as connection:
        assert "2026-03-02 10:00" in "".join(answers(connection))
        noted = connection.exec_driver_sql("select ticket_key from ops.compliance_touched").scalars().all()
    assert noted == [KEY]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "--from is missing"),
        (["--from", "2026-03-02T00:00Z", "--to", "2026-03-01T00:00Z"], 2, "not before"),
        (["--from", "2026-03-01", "--policy", "-"], 1, "policy.metrics.team"),
    ],
)
def test_a_wrong_call_says_what_was_expected(warehouse_url: str, arguments: list[str], code: int, says: str) -> None:
    answer = CliRunner().invoke(main, ["tickets", "recompute", *arguments], input="metrics: {team: soon}")
    assert (answer.exit_code, says in answer.output) == (code, True), answer.output
