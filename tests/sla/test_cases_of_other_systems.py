"""Service-level cases from other systems' own tests, given as facts, through the replay of policies.

Each case agrees, or is listed below with the rule of ours that decides otherwise.
"""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from amazon_support import settings
from amazon_support.tickets import replay

FOLDER = Path(__file__).parent / "cases"
CASES = {case["id"]: case for path in sorted(FOLDER.glob("*.json")) for case in json.loads(path.read_text())}

DURATIONS = "a target is a duration of open time, not a number of business days"
DECIDED_OTHERWISE = {
    "biz-004": DURATIONS,
    "biz-005": DURATIONS,
    "biz-006": DURATIONS,
    "biz-007": DURATIONS,
    "docs-022": "conversations are merged because they are of one order; the clock runs on in the ticket that stays",
    "docs-025": "a clock keeps the policy that was in force when it started",
    "docs-026": "a ticket solved for 28 days is closed for good; what comes then is a follow-up with its own clocks",
}

METRICS = {
    "first_reply": "first_response",
    "next_reply": "next_response",
    "reply": "amazon_reply",
    "resolution": "resolution",
}
KINDS = {"inbound": "buyer_message", "agent_reply": "reply"}
# Our agents have no "set to open": unread does it from every status.
MOVES = {"closed": "solve", "resolved": "solve", "waiting": "hold", "open": "unread", "assigned": "unread"}
STATUSES = {"waiting": "on_hold"}
STATES = {"overdue": "breached_open", "met": "met"}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Span = tuple[str, str]


def spans(given: list[Span]) -> list[str]:
    return [f"{opens}-{closes}" for opens, closes in given]


def without(given: list[Span], breaks: list[Span]) -> list[Span]:
    """What the breaks leave of a day's hours; times as HH:MM compare as text."""
    for began, ended in breaks:
        pieces = [piece for o, c in given for piece in ((o, min(c, began)), (max(o, ended), c))]
        given = [(opens, closes) for opens, closes in pieces if opens < closes]
    return given


def calendar(given: Any) -> Any:
    if given == "24x7" or given.get("always"):
        return "24x7"
    dates = {day: spans(hours) for day, hours in given.get("shifts", {}).items()}
    for day, breaks in given.get("breaks", {}).items():
        usual = given.get("shifts", {}).get(day) or given["hours"].get(DAYS[date.fromisoformat(day).weekday()], [])
        dates[day] = spans(without(usual, breaks))
    dates |= dict.fromkeys(given.get("holidays", []), "closed")
    hours = {day: spans(hours) for day, hours in given["hours"].items()}
    return {"timezone": given["tz"], "hours": hours, "dates": dates}


def policy(given: Any) -> dict[str, Any]:
    pause = given.get("pause", {})
    metrics = {}
    for name, minutes in given["metrics"].items():
        target: dict[str, Any] = {"target": f"{minutes * 60:.0f}s"}
        if name == "next_reply":
            target["stops_in"] = ["solved", "closed"]
        if name in pause.get("metrics", []):
            target["pauses_in"] = [STATUSES[status] for status in pause["statuses"]]
        metrics[METRICS[name]] = target
    return {"calendar": calendar(given["calendar"]), "metrics": metrics}


def replayed(connection: Connection, case: Any) -> dict[str, list[dict[str, Any]]]:
    events = [
        {
            "at": event["at"],
            "ticket": "T1",
            "kind": KINDS.get(event["type"]) or MOVES[event["data"]["to"]],
        }
        for event in case["events"]
    ]
    written = {"policy": policy(case["policy"]), "events": events, "as_of": case["as_of"]}
    [ticket] = replay.replay(connection, replay.read(json.dumps(written)), settings.load())
    metrics: dict[str, list[dict[str, Any]]] = ticket["metrics"]
    return metrics


def check(cycles: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    last = cycles[-1] if cycles else None
    breaches = [cycle for cycle in cycles if cycle["breached_at"]]
    for what, value in expected.items():
        if what == "due_at" and value is None:
            assert last is None or last["stopped_at"], "nothing is due: no clock runs"
        elif what == "due_at":
            assert last and last["due_at"] == value
        elif what == "elapsed_minutes":
            assert last and timedelta(seconds=last["elapsed_seconds"]) == timedelta(minutes=value)
        elif what == "breached":
            assert bool(breaches) is value
        elif what == "misses":
            assert len(breaches) == value
        elif what == "runs":
            assert len(cycles) == value
        else:
            assert what == "state"
            assert last and last["state"] == STATES[value]


def test_all_cases_are_there() -> None:
    assert len(CASES) == 105
    assert DECIDED_OTHERWISE.keys() < CASES.keys()


@pytest.mark.parametrize("name", [name for name in CASES if name not in DECIDED_OTHERWISE])
def test_we_agree(connection: Connection, name: str) -> None:
    found = replayed(connection, CASES[name])
    for metric, expected in CASES[name]["expect"].items():
        check(found[METRICS[metric]], expected)
