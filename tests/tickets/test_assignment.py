"""Who gets which new ticket: views, rules, teams, who is on duty, and that nothing is ever assigned twice."""

import json
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from landing import rows
from sqlalchemy import Connection, Engine
from ticket_histories import POLICY, event, record, statuses

from amazon_support import settings, tickets
from amazon_support.outputs.worklist import write_worklists
from amazon_support.settings import Agent, Settings
from amazon_support.settings.assignment import Assignment
from amazon_support.tickets.assign import is_on_duty, share_out

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)  # a Tuesday
HOUR = timedelta(hours=1)
TEAM = {"name": "europe", "agents": ["Ana", "Bo"]}
TO_TEAM = {"name": "all", "tickets": {}, "team": "europe"}
OFFICE = {"timezone": "Europe/Berlin", "hours": {"mon-fri": ["09:00-17:00"]}}


def agent(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "email": f"{name.lower()}@shop.example", **fields}


ANA_AND_BO = (agent("Ana"), agent("Bo"))


def setting(
    *rules: dict[str, Any], agents: Any = ANA_AND_BO, account: Any = None, calendars: Any = (), **assignment: Any
) -> Settings:
    teams = {"teams": [TEAM] if len(agents) > 1 else []}
    return Settings.model_validate(
        {
            "marketplaces": settings.load().marketplaces,
            "accounts": [{"name": "main", **(account or {})}],
            "agents": agents,
            "service_levels": {"calendars": calendars},
            "assignment": {**teams, "rules": rules, **assignment},
        }
    )


def key(number: int, country: str = "DE") -> str:
    return f"{country}:order:302-1234567-{number:07}"


def arrive(connection: Connection, *keys: str, at: datetime = NOON - HOUR, **fields: Any) -> None:
    """A buyer's first message on each ticket, folded."""
    told = {"source": "mail", "ticket_type": "contact_buyer", **fields}
    record(
        connection,
        [event(at, "buyer_message", key=k, source_id=f"{k} {at}", marketplace=k[:2], **told) for k in keys],
    )
    tickets.fold(connection, POLICY)


def assign(connection: Connection, given: Settings, as_of: datetime = NOON) -> tickets.AssignCounts:
    counts = tickets.assign(connection, given, as_of=as_of)
    tickets.fold(connection, POLICY)
    return counts


def holders(connection: Connection) -> list[tuple[str, str]]:
    return [(k[-1], who) for k, who in rows(connection, "select ticket_id, agent from mart.ticket_agent order by 1, 2")]


# ---------- which tickets, and to whom


def test_a_rule_gives_a_new_ticket_to_the_agents_it_names(connection: Connection) -> None:
    arrive(connection, key(1))
    given = setting({"name": "both", "tickets": {}, "agents": ["Bo", "Ana"]})
    assert assign(connection, given) == tickets.AssignCounts(assigned=2, waiting=0)
    assert rows(
        connection,
        "select agent, since, source, assigned_by, rule, team from mart.ticket_agent order by agent",
    ) == [("Ana", NOON, "rules", "rules", "both", None), ("Bo", NOON, "rules", "rules", "both", None)]
    assert statuses(connection, key(1)) == [
        ("2026-03-10 11:00", "new", "buyer_message"),
        ("2026-03-10 12:00", "open", "assign"),
    ]


def test_every_rule_that_fits_applies(connection: Connection) -> None:
    arrive(connection, key(1), key(2, "US"))
    assign(
        connection,
        setting(
            {"name": "europe", "view": "german", "agents": ["Bo"]},
            {"name": "rest", "tickets": {"marketplaces": ["DE", "US"]}, "agents": ["Ana"]},
            views=[{"name": "german", "languages": ["de"]}, {"name": "asian", "marketplaces": ["JP"]}],
        ),
    )
    assert holders(connection) == [("1", "Ana"), ("1", "Bo"), ("2", "Ana")]
    assert rows(connection, "select right(ticket_id, 1), views from core.ticket_sorting order by 1") == [
        ("1", ["german"]),
        ("2", []),
    ]


def test_who_configures_nothing_gets_nothing(connection: Connection) -> None:
    arrive(connection, key(1))
    assert assign(connection, settings.load()) == tickets.AssignCounts()
    assert rows(connection, "select 1 from core.ticket_sorting") == []


def test_a_rule_of_today_does_not_touch_tickets_of_before(connection: Connection) -> None:
    arrive(connection, key(1))
    assign(connection, setting({"name": "first", "tickets": {}, "agents": ["Ana"]}))
    arrive(connection, key(2), at=NOON + HOUR / 2)
    assign(connection, setting({"name": "second", "tickets": {}, "agents": ["Bo"]}), NOON + HOUR)
    assert holders(connection) == [("1", "Ana"), ("2", "Bo")]


@pytest.mark.parametrize(
    ("kind", "hours_later", "is_new"),
    [("reply", 1, True), ("hold", 1, True), ("solve", 1, False), ("reply", 30, False)],
)
def test_a_ticket_is_new_for_a_day_after_somebody_acted(
    connection: Connection, kind: str, hours_later: int, is_new: bool
) -> None:
    acted = NOON - hours_later * HOUR
    arrive(connection, key(1), at=acted - HOUR)
    record(connection, [event(acted, kind, key=key(1), source_id="deed")])
    tickets.fold(connection, POLICY)
    assign(connection, setting({"name": "all", "tickets": {}, "agents": ["Ana"]}))
    assert bool(holders(connection)) is is_new


def test_history_is_assigned_to_nobody(connection: Connection) -> None:
    connection.exec_driver_sql("insert into core.account_start values ('main', %s)", (NOON - HOUR,))
    arrive(connection, key(1), at=NOON - 50 * HOUR)
    arrive(connection, key(2), at=NOON - HOUR)
    assign(connection, setting(TO_TEAM))
    assert holders(connection) == [("2", "Ana")]


def test_what_comes_after_the_instant_waits_for_the_next(connection: Connection) -> None:
    arrive(connection, key(1), at=NOON + timedelta(seconds=1))
    assert assign(connection, setting(TO_TEAM)).assigned == 0
    assert assign(connection, setting(TO_TEAM), NOON + HOUR).assigned == 1


def test_a_follow_up_is_a_new_ticket(connection: Connection) -> None:
    arrive(connection, key(1), at=NOON - 60 * 24 * HOUR)
    record(connection, [event(NOON - 59 * 24 * HOUR, "solve", key=key(1), source_id="solved")])
    assign(connection, setting(TO_TEAM), NOON - 60 * 24 * HOUR)
    arrive(connection, key(1))
    assign(connection, setting(TO_TEAM))
    assert rows(connection, "select ticket_id, agent, since from mart.ticket_agent order by since") == [
        (key(1), "Ana", NOON - 60 * 24 * HOUR),
        (f"{key(1)}#2", "Ana", NOON),
    ]


def test_an_assignment_after_closing_has_no_effect(connection: Connection) -> None:
    arrive(connection, key(1), at=NOON - 60 * 24 * HOUR)
    told = [event(NOON - 59 * 24 * HOUR, "solve", key=key(1), source_id="solved")]
    told += [event(NOON, "assign", key=key(1), source_id="late", detail={"agent": "Bo"})]
    record(connection, told)
    tickets.fold(connection, POLICY)
    assert holders(connection) == []


# ---------- filters

ORDERED = {
    "status": "UNSHIPPED", "fulfilled_by": "MERCHANT", "ship_country": "AT", "currency": "EUR",
    "total_amount": 250, "is_prime": False, "is_business": True,
}  # fmt: skip


def order(connection: Connection, order_id: str, **changes: Any) -> None:
    row = {"account": "main", "order_id": order_id, "region": "eu", **ORDERED, **changes}
    connection.exec_driver_sql(
        "insert into core.amazon_order select * from jsonb_populate_record(null::core.amazon_order, %(row)s::jsonb "
        '|| \'{"is_placeholder": false, "is_from_api": true}\')',
        {"row": json.dumps(row)},
    )
    connection.exec_driver_sql(
        "insert into core.amazon_order_item (account, order_id, position, sku, quantity) values "
        "('main', %(id)s, 1, 'TEAPOT', 1)",
        {"id": order_id},
    )


@pytest.mark.parametrize(
    ("tickets_", "fits"),
    [
        ({"accounts": ["main"]}, True),
        ({"marketplaces": ["FR", "DE"]}, True),
        ({"marketplaces": ["FR"]}, False),
        ({"desks": ["bqool"]}, False),
        ({"desks": ["seller_central"]}, True),
        ({"ticket_types": ["contact_buyer"]}, True),
        ({"ticket_types": ["chargeback"]}, False),
        ({"languages": ["de"]}, True),
        ({"languages": ["fr"]}, False),
        ({"order": {"statuses": ["UNSHIPPED"]}}, True),
        ({"order": {"statuses": ["SHIPPED"]}}, False),
        ({"order": {"fulfilled_by": ["AMAZON"]}}, False),
        ({"order": {"fulfilled_by": ["MERCHANT"], "ship_countries": ["AT"]}}, True),
        ({"order": {"fulfilled_by": ["MERCHANT"], "ship_countries": ["DE"]}}, False),
        ({"order": {"total_at_least": 250, "currencies": ["EUR"]}}, True),
        ({"order": {"total_at_least": "250.01"}}, False),
        ({"order": {"skus": ["CUP", "TEAPOT"]}}, True),
        ({"order": {"skus": ["CUP"]}}, False),
        ({"order": {"is_prime": False, "is_business": True}}, True),
        ({"order": {"is_prime": True}}, False),
    ],
    ids=str,
)
def test_all_that_a_filter_names_must_fit(connection: Connection, tickets_: dict[str, Any], fits: bool) -> None:
    order(connection, key(1)[9:])
    arrive(connection, key(1), order_id=key(1)[9:])
    rule = {"name": "some", "tickets": tickets_, "agents": ["Ana"]}
    assign(connection, setting(rule, account={"marketplaces": {"DE": {"desk": "seller_central"}}}))
    assert bool(holders(connection)) is fits


def test_without_an_order_no_order_filter_fits(connection: Connection) -> None:
    arrive(connection, key(1))
    assign(connection, setting({"name": "some", "tickets": {"order": {"is_prime": False}}, "agents": ["Ana"]}))
    assert holders(connection) == []


def test_order_fields_are_kept_as_they_were(connection: Connection) -> None:
    order(connection, key(1)[9:])
    arrive(connection, key(1), order_id=key(1)[9:])
    assign(connection, setting(TO_TEAM))
    connection.exec_driver_sql("update core.amazon_order set status = 'SHIPPED', total_amount = 1")
    assign(connection, setting(TO_TEAM), NOON + HOUR)
    assert rows(connection, "select order_status, total_amount, skus from core.ticket_sorting") == [
        ("UNSHIPPED", 250, ["TEAPOT"])
    ]


# ---------- teams


def test_new_work_is_shared_evenly_ties_by_name(connection: Connection) -> None:
    arrive(connection, *(key(number) for number in range(5)))
    assign(connection, setting(TO_TEAM))
    assert holders(connection) == [("0", "Ana"), ("1", "Bo"), ("2", "Ana"), ("3", "Bo"), ("4", "Ana")]


def test_whoever_has_less_new_and_open_gets_it(connection: Connection) -> None:
    arrive(connection, *(key(number) for number in range(4)), at=NOON - 30 * HOUR)
    named = {"name": "all", "tickets": {}, "agents": ["Ana"]}
    assign(connection, setting(named), NOON - 29 * HOUR)
    record(connection, [event(NOON - 2 * HOUR, "reply", key=key(n), source_id=f"reply {n}") for n in range(3)])
    arrive(connection, key(4), key(5), key(6))
    assign(connection, setting(TO_TEAM))
    new = [(number, who) for number, who in holders(connection) if number >= "4"]
    assert new == [("4", "Bo"), ("5", "Ana"), ("6", "Bo")], "only ticket 3 still is Ana's work"


def test_a_team_whose_agent_has_the_ticket_gets_no_other(connection: Connection) -> None:
    arrive(connection, key(1))
    assert assign(connection, setting(TO_TEAM, {"name": "bo", "tickets": {}, "agents": ["Bo"]})).waiting == 0
    assert holders(connection) == [("1", "Bo")]


def test_two_teams_with_an_agent_in_common_are_served_by_that_agent(connection: Connection) -> None:
    arrive(connection, key(1))
    other = {"name": "night", "agents": ["Ana"]}
    assign(connection, setting(TO_TEAM, {"name": "n", "tickets": {}, "team": "night"}, teams=[TEAM, other]))
    assert holders(connection) == [("1", "Ana")]
    assert rows(connection, "select * from ops.ticket_waiting") == []


def test_a_marketplace_names_its_team(connection: Connection) -> None:
    arrive(connection, key(1), key(2, "US"))
    assign(connection, setting(account={"marketplaces": {"US": {"team": "europe"}}}))
    assert holders(connection) == [("2", "Ana")]
    assert rows(connection, "select rule, team from core.ticket_route") == [("marketplace", "europe")]


def test_the_team_of_a_rule_comes_before_that_of_the_marketplace(connection: Connection) -> None:
    arrive(connection, key(1))
    other = {"name": "night", "agents": ["Bo"]}
    given = setting(TO_TEAM, account={"marketplaces": {"DE": {"team": "night"}}}, teams=[TEAM, other])
    assign(connection, given)
    assert holders(connection) == [("1", "Ana")]


def test_with_nobody_on_duty_it_stays_with_the_team_until_somebody_is(connection: Connection) -> None:
    given = setting(TO_TEAM, agents=(agent("Ana", hours=OFFICE), agent("Bo", hours=OFFICE)))
    night = NOON + 8 * HOUR
    arrive(connection, key(1), at=night - HOUR)
    assert assign(connection, given, night) == tickets.AssignCounts(assigned=0, waiting=1)
    assert assign(connection, given, night + HOUR) == tickets.AssignCounts(assigned=0, waiting=1)
    morning = NOON + 20 * HOUR
    assert assign(connection, given, morning) == tickets.AssignCounts(assigned=1, waiting=0)
    assert rows(connection, "select agent, since, rule, team from mart.ticket_agent") == [
        ("Ana", morning, "all", "europe")
    ]


def test_what_was_solved_meanwhile_is_nobodys_work_until_it_is_open_again(connection: Connection) -> None:
    given = setting(TO_TEAM, agents=(agent("Ana", hours=OFFICE), agent("Bo", hours=OFFICE)))
    night = NOON + 8 * HOUR
    arrive(connection, key(1), at=night - HOUR)
    assign(connection, given, night)
    record(connection, [event(night + HOUR, "solve", key=key(1), source_id="solved")])
    tickets.fold(connection, POLICY)
    assert assign(connection, given, NOON + 20 * HOUR).assigned == 0
    arrive(connection, key(1), at=NOON + 20 * HOUR)
    assert assign(connection, given, NOON + 21 * HOUR).assigned == 1


# ---------- duty


@pytest.mark.parametrize(
    ("fields", "at", "on_duty"),
    [
        ({}, "2026-03-08T03:00Z", True),
        ({"hours": OFFICE}, "2026-03-10T08:00Z", True),  # 9:00 in Berlin
        ({"hours": OFFICE}, "2026-03-10T07:59Z", False),
        ({"hours": OFFICE}, "2026-03-10T16:00Z", False),  # closing time
        ({"hours": OFFICE}, "2026-03-30T07:00Z", True),  # summer time
        ({"hours": OFFICE}, "2026-03-08T12:00Z", False),  # Sunday
        ({"hours": {**OFFICE, "holidays": {"country": "DE"}}}, "2026-12-25T10:00Z", False),
        ({"hours": {**OFFICE, "hours": {"mon": ["22:00-06:00"]}}}, "2026-03-10T04:30Z", True),  # since Monday
        ({"hours": {"timezone": "Pacific/Kiritimati", "hours": {"wed": ["00:00-02:00"]}}}, "2026-03-10T11:00Z", True),
        ({"absent": ["2026-03-10"]}, "2026-03-10T23:59Z", False),
        ({"absent": ["2026-03-10"]}, "2026-03-11T00:00Z", True),
        ({"hours": OFFICE, "absent": [{"from": "2026-03-09", "to": "2026-03-10"}]}, "2026-03-10T10:00Z", False),
        ({"hours": OFFICE, "absent": [{"from": "2026-03-09", "to": "2026-03-10"}]}, "2026-03-11T10:00Z", True),
        ({"hours": "office"}, "2026-03-10T10:00Z", True),
        ({"hours": "office"}, "2026-04-02T10:00Z", False),  # the version of April closes before noon
        ({"hours": "24x7"}, "2026-03-08T03:00Z", True),
    ],
    ids=str,
)
def test_who_is_on_duty(fields: dict[str, Any], at: str, on_duty: bool) -> None:
    april = {"name": "office", "in_force_from": "2026-04-01", "timezone": "UTC", "hours": {"mon-fri": ["08:00-09:00"]}}
    given = setting(agents=[agent("Ana", **fields)], calendars=[{"name": "office", **OFFICE}, april])
    assert is_on_duty(given.agents[0], given, datetime.fromisoformat(at)) is on_duty


def ticket(number: int, team: str, language: str = "de", status: str = "new", agents: Any = ()) -> dict[str, Any]:
    return {"account": "main", "ticket_id": str(number), "team": team, "language": language, "status": status,
            "agents": list(agents)}  # fmt: skip


def shared(waiting: Any, agents: list[Agent], teams: dict[str, list[str]], loads: Any = ()) -> list[Any]:
    assignment = Assignment.model_validate({"teams": [{"name": n, "agents": a} for n, a in teams.items()]})
    return [(r["ticket_id"], who and who.name) for r, who in share_out(waiting, assignment, agents, Counter(loads))]


def test_who_answers_in_the_language_comes_first_and_anybody_before_nobody() -> None:
    ana, bo = (
        Agent(name=name, email="a@b.example", languages=spoken) for name, spoken in (("Ana", ["de"]), ("Bo", ["fr"]))
    )
    waiting = [ticket(1, "t", "fr"), ticket(2, "t", "fr"), ticket(3, "t", "ja")]
    assert shared(waiting, [ana, bo], {"t": ["Ana", "Bo"]}) == [("1", "Bo"), ("2", "Bo"), ("3", "Ana")]


NAMES = ("Ana", "Bo", "Cy", "Di")


@given(
    teams=some.lists(some.sets(some.sampled_from(NAMES), min_size=1), min_size=1, max_size=3),
    work=some.lists(some.tuples(some.integers(0, 2), some.sampled_from(["new", "open", "pending", "on_hold"]))),
    on_duty=some.sets(some.sampled_from(NAMES)),
    loads=some.fixed_dictionaries({name: some.integers(0, 5) for name in NAMES}),
)
def test_each_goes_to_the_least_loaded_then(
    teams: list[set[str]], work: list[tuple[int, str]], on_duty: set[str], loads: dict[str, int]
) -> None:
    named = {str(number): sorted(team) for number, team in enumerate(teams)}
    waiting = [ticket(n, str(team % len(teams)), status=status) for n, (team, status) in enumerate(work)]
    expected, counted = [], dict(loads)
    for row in waiting:
        free = [name for name in named[row["team"]] if name in on_duty]
        if free:
            fewest = min(counted[name] for name in free)
            chosen = sorted(name for name in free if counted[name] == fewest)[0]
            if row["status"] not in ("pending", "on_hold"):
                counted[chosen] += 1
            expected.append((row["ticket_id"], chosen))
    agents = [Agent(name=name, email="a@b.example") for name in NAMES if name in on_duty]
    assert shared(waiting, agents, named, loads) == expected


# ---------- once


def test_a_repeat_of_the_step_changes_nothing(connection: Connection) -> None:
    arrive(connection, *(key(number) for number in range(3)))
    assign(connection, setting(TO_TEAM))
    before = rows(connection, "select * from core.ticket_event order by event_id")
    assert assign(connection, setting(TO_TEAM)) == tickets.AssignCounts()
    assert rows(connection, "select * from core.ticket_event order by event_id") == before


def test_what_was_decided_is_not_decided_again_when_books_are_lost(connection: Connection) -> None:
    arrive(connection, key(1), key(2))
    assign(connection, setting(TO_TEAM))
    for table in ("core.ticket_sorting", "core.ticket_route", "ops.ticket_waiting"):
        connection.exec_driver_sql(f"delete from {table}")
    assert assign(connection, setting(TO_TEAM)).assigned == 0
    assert len(holders(connection)) == 2


def test_two_runs_at_once_assign_once(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        arrive(connection, *(key(number) for number in range(4)))
    counts = []

    def run() -> None:
        with warehouse.begin() as connection:
            counts.append(tickets.assign(connection, setting(TO_TEAM), as_of=NOON).assigned)
            tickets.fold(connection, POLICY)

    runs = [threading.Thread(target=run) for _ in range(3)]
    for each in runs:
        each.start()
    for each in runs:
        each.join()
    assert sorted(counts) == [0, 0, 4]
    with warehouse.begin() as connection:
        assert holders(connection) == [("0", "Ana"), ("1", "Bo"), ("2", "Ana"), ("3", "Bo")]


def test_the_same_state_gives_the_same_agents(warehouse: Engine) -> None:
    found = []
    for _ in range(2):
        with warehouse.connect() as connection:
            arrive(connection, *(key(number) for number in (3, 1, 2)))
            assign(connection, setting(TO_TEAM))
            found.append(holders(connection))
    assert found[0] == found[1] == [("1", "Ana"), ("2", "Bo"), ("3", "Ana")]


# ---------- worklists


def listed(connection: Connection, given: Settings, as_of: datetime = NOON) -> list[tuple[str, str]]:
    write_worklists(connection, given, as_of=as_of)
    found = rows(connection, "select agent, right(ticket_id, 1) from mart.worklist_item where as_of = :t", t=as_of)
    return sorted(found)


def test_a_ticket_is_on_its_agents_lists_and_an_unassigned_one_on_those_of_the_marketplace(
    connection: Connection,
) -> None:
    given = setting(
        {"name": "french", "tickets": {"marketplaces": ["FR"]}, "agents": ["Bo"]},
        agents=(agent("Ana", marketplaces=["DE"]), agent("Bo", marketplaces=["DE", "US"])),
    )
    arrive(connection, key(1), key(2, "FR"), key(3, "US"))
    assign(connection, given)
    assert listed(connection, given) == [("Ana", "1"), ("Bo", "1"), ("Bo", "2"), ("Bo", "3")]


def test_an_hour_before_the_assignment_is_listed_as_it_was(connection: Connection) -> None:
    given = setting({"name": "all", "tickets": {}, "agents": ["Bo"]})
    arrive(connection, key(1), at=NOON - 2 * HOUR)
    assign(connection, given)
    assert listed(connection, given, NOON - HOUR) == [("Ana", "1"), ("Bo", "1")]
    assert listed(connection, given) == [("Bo", "1")]


def test_the_ticket_of_somebody_who_left_goes_to_the_marketplace(connection: Connection) -> None:
    arrive(connection, key(1))
    assign(connection, setting({"name": "all", "tickets": {}, "agents": ["Bo"]}))
    assert listed(connection, setting(agents=[agent("Ana")])) == [("Ana", "1")]
