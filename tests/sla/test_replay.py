"""The simulator: input as people write it, the pipeline's own answers as output, nothing left behind."""

import json
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, Engine
from ticket_histories import history, moment, record

from amazon_support import settings, tickets
from amazon_support.cli import main
from amazon_support.settings import Policy
from amazon_support.tickets import replay

ASKED = {"at": "2026-03-02T08:00:00Z", "kind": "buyer_message", "ticket": "T1", "id": "e1"}
REPLIED = {"at": "2026-03-02T10:30:00Z", "kind": "reply", "ticket": "T1", "id": "e2", "actor": "ana"}


def replayed(connection: Connection, *events: dict[str, Any], as_of: Any, **rest: Any) -> list[dict[str, Any]]:
    written = json.dumps({"events": events, "as_of": as_of, **rest})
    return replay.replay(connection, replay.read(written), settings.load())


def test_a_ticket_at_each_instant_it_existed(connection: Connection) -> None:
    instants = ["2026-03-02T07:00:00Z", "2026-03-02T09:00:00Z", "2026-03-10T12:00:00+01:00"]
    early, late = replayed(connection, ASKED, REPLIED, as_of=instants, policy={"metrics": {"amazon_reply": "24h"}})
    assert early == {
        "as_of": "2026-03-02T09:00:00Z",
        "ticket": "T1",
        "status": "new",
        "status_since": "2026-03-02T08:00:00Z",
        "intervals": [{"status": "new", "from": "2026-03-02T08:00:00Z", "until": None, "cause": "buyer_message"}],
        "metrics": {
            "amazon_reply": [
                {
                    "cycle": 1,
                    "started_at": "2026-03-02T08:00:00Z",
                    "due_at": "2026-03-03T08:00:00Z",
                    "stopped_at": None,
                    "stopped_by": None,
                    "elapsed_seconds": 3600,
                    "paused_seconds": 0,
                    "time_left_seconds": 82800,
                    "state": "running",
                    "breached_at": None,
                    "policy": "tried",
                    "calendar": "24x7",
                }
            ]
        },
    }
    assert [(i["status"], i["until"]) for i in late["intervals"]] == [
        ("new", "2026-03-02T10:30:00Z"),
        ("pending", "2026-03-09T10:30:00Z"),
        ("solved", None),
    ]
    assert late["metrics"]["amazon_reply"][0]["state"] == "met"


def test_without_a_policy_those_of_the_settings_count(connection: Connection) -> None:
    [ticket] = replayed(connection, ASKED, as_of="2026-03-02T09:00:00Z")
    assert {name: len(cycles) for name, cycles in ticket["metrics"].items() if cycles} == {"amazon_reply": 1, "team": 1}
    assert ticket["metrics"]["team"][0]["policy"] == "default"


def test_a_policy_for_some_tickets_leaves_the_others_their_own(connection: Connection) -> None:
    policy = {"marketplaces": ["JP"], "metrics": {"team": "2h"}}
    there = {**ASKED, "ticket": "T2", "marketplace": "JP"}
    first, second = replayed(connection, ASKED, there, as_of="2026-03-02T09:00:00Z", policy=policy)
    assert (first["metrics"]["team"][0]["due_at"], second["metrics"]["team"][0]["due_at"]) == (
        "2026-03-03T08:00:00Z",
        "2026-03-02T10:00:00Z",
    )
    assert second["metrics"]["amazon_reply"] == []


def test_the_spans_of_a_tickets_life_may_be_tried_too(connection: Connection) -> None:
    policy = {"solve_after_silence": "3d", "metrics": {}}
    [ticket] = replayed(connection, ASKED, REPLIED, as_of="2026-03-10T00:00:00Z", policy=policy)
    assert (ticket["status"], ticket["status_since"]) == ("solved", "2026-03-05T10:30:00Z")


def test_an_event_that_is_there_twice_counts_once_and_a_failure_names_its_reply(connection: Connection) -> None:
    failed = {"at": "2026-03-02T11:00:00Z", "kind": "delivery_failure", "ticket": "T1", "id": "e3", "reply": "e2"}
    [ticket] = replayed(connection, ASKED, REPLIED, REPLIED, failed, as_of="2026-03-02T12:00:00Z")
    assert [(c["state"], c["stopped_at"]) for c in ticket["metrics"]["amazon_reply"]] == [("running", None)]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("{", "Invalid JSON"),
        ('{"events": [{"at": "2026-03-02T08:00:00", "kind": "reply", "ticket": "T"}]}', "events.0.at"),
        ('{"events": [{"at": "2026-03-02T08:00:00Z", "kind": "answer", "ticket": "T"}]}', "events.0.kind"),
        ('{"event": []}', "event: Extra inputs"),
        ('{"policy": {"metrics": {"team": "soon"}}}', "policy.metrics.team.target: Value error, expected a duration"),
        ('{"policy": {"calendar": "moon"}}', "policy.policies.0.calendar: unknown calendar moon"),
    ],
)
def test_what_cannot_be_replayed_is_told_with_its_place(document: str, says: str) -> None:
    with pytest.raises(replay.ReplayError) as caught:
        replay.tried(replay.read(document).policy, settings.load())
    assert says in str(caught.value)


def test_the_command_prints_json_and_leaves_the_warehouse_alone(warehouse: Engine) -> None:
    written = json.dumps({"events": [ASKED], "as_of": ["2026-03-02T09:00:00Z"]})
    for _ in range(2):
        answer = CliRunner().invoke(main, ["tickets", "replay", "-"], input=written)
        assert answer.exit_code == 0, answer.output
        assert [ticket["ticket"] for ticket in json.loads(answer.stdout)] == ["T1"]
    with warehouse.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from core.ticket_event").scalar() == 0


def test_history_shows_what_another_policy_would_have_changed(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        record(connection, history(("2026-03-01 08:00", "buyer_message"), ("2026-03-02 02:00", "reply")))
        record(connection, history(("2025-01-01 08:00", "buyer_message"), key="DE:order:long-ago", account="old"))
        tickets.fold(connection, Policy())
        before = connection.exec_driver_sql("select t::text from mart.sla_clock as t order by 1").scalars().all()
    with replay.scratch() as scratch, warehouse.connect() as connection:
        found = replay.replay_history(
            connection,
            scratch,
            {"metrics": {"amazon_reply": "12h"}},
            settings.load(),
            days=30,
            as_of=moment("2026-03-10 00:00"),
        )
    assert found.before[0] == replay.Load("amazon_reply", cycles=1, warned=0, breached=0)
    assert found.after == (replay.Load("amazon_reply", cycles=1, warned=1, breached=1),)
    assert [breach[2] for breach in found.newly] == ["amazon_reply"]
    assert found.no_longer == ()
    assert "amazon_reply" in found.table()
    assert "0 -> 1" in found.table()
    with warehouse.connect() as connection:
        after = connection.exec_driver_sql("select t::text from mart.sla_clock as t order by 1").scalars().all()
    assert after == before


def test_the_command_tries_a_policy_on_the_days_before_an_instant(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        record(connection, history(("2026-03-01 08:00", "buyer_message"), ("2026-03-02 02:00", "reply")))
        tickets.fold(connection, Policy())
    policy = json.dumps({"policy": {"metrics": {"amazon_reply": "12h"}}})
    told = ["tickets", "replay", "-", "--history", "30", "--as-of", "2026-03-10", "--json"]
    answer = CliRunner().invoke(main, told, input=policy)
    assert answer.exit_code == 0, answer.output
    assert [breach[2] for breach in json.loads(answer.stdout)["newly"]] == ["amazon_reply"]
