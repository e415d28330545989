"""Compliance by day and month: what is counted when, and that making only what changed makes everything right."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from sqlalchemy import Connection
from ticket_histories import POLICY, event, history, moment, record

from amazon_support import settings, tickets
from amazon_support.settings import AccountMarketplace, ServiceLevels, Settings
from amazon_support.tickets import compliance

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NIGHT = moment("2026-03-10 00:00")
Row = dict[str, Any]


def levels(**metrics: Any) -> ServiceLevels:
    return ServiceLevels.model_validate({"policies": [{"metrics": metrics or {"amazon_reply": "24h"}}]})


def folded(connection: Connection, told: list[Row], levels_: ServiceLevels | None = None) -> None:
    record(connection, told)
    tickets.fold(connection, POLICY, tickets.Promises(levels_ or levels()))


def days(connection: Connection, metric: str = "amazon_reply", table: str = "compliance_day") -> list[Row]:
    rows = connection.exec_driver_sql(
        f"select * from mart.{table} where metric = %(metric)s order by 1, agent", {"metric": metric}
    )
    return [dict(row) for row in rows.mappings()]


def counted(rows: list[Row], *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(str(row[name]) if isinstance(row[name], date) else row[name] for name in columns) for row in rows]


def everything(connection: Connection) -> list[str]:
    return [
        row
        for table in ("compliance_cycle", "compliance")
        for row in connection.exec_driver_sql(f"select t::text from mart.{table} as t order by 1").scalars()
    ]


SHOWN = ("day", "agent", "ended", "met", "breached", "backlog")


def test_what_is_met_counts_when_it_ended_and_what_is_breached_when_it_was_due(connection: Connection) -> None:
    folded(connection, history(("2026-03-02 08:00", "buyer_message"), ("2026-03-02 10:30", "reply", {"actor": "ana"})))
    folded(
        connection,
        history(("2026-03-02 09:00", "buyer_message"), ("2026-03-04 08:00", "reply", {"actor": "ben"}), account="two"),
    )
    compliance.write_compliance(connection, settings.load(), as_of=NIGHT)
    rows = days(connection)
    assert counted(rows, *SHOWN) == [
        ("2026-03-02", "ana", 1, 1, 0, 0),
        ("2026-03-02", "unknown", 0, 0, 0, 1),
        ("2026-03-03", "ben", 0, 0, 1, 0),
        ("2026-03-03", "unknown", 0, 0, 0, 1),
        ("2026-03-04", "ben", 1, 0, 0, 0),
    ]
    assert [row["share_met"] for row in rows] == [1, None, 0, None, None]
    assert [row["oldest_waiting_seconds"] for row in rows] == [None, 15 * 3600, None, 39 * 3600, None]
    assert rows[0]["median_elapsed_seconds"] == rows[0]["p95_response_seconds"] == 9000


def test_a_day_that_has_not_ended_is_not_there(connection: Connection) -> None:
    folded(connection, history(("2026-03-02 08:00", "buyer_message"), ("2026-03-02 10:30", "reply")))
    compliance.write_compliance(connection, settings.load(), as_of=moment("2026-03-02 23:59"))
    assert days(connection) == []
    compliance.write_compliance(connection, settings.load(), as_of=moment("2026-03-03 00:00"))
    assert counted(days(connection), *SHOWN) == [("2026-03-02", "test", 1, 1, 0, 0)]


def test_time_alone_makes_a_breach_and_a_backlog(connection: Connection) -> None:
    folded(connection, history(("2026-03-02 08:00", "buyer_message")))
    for hour in range(80):
        compliance.write_compliance(connection, settings.load(), as_of=moment("2026-03-02 00:00") + hour * HOUR)
    assert counted(days(connection), *SHOWN) == [
        ("2026-03-02", "unknown", 0, 0, 0, 1),
        ("2026-03-03", "unknown", 0, 0, 1, 1),
        ("2026-03-04", "unknown", 0, 0, 0, 1),
    ]


def test_a_clock_that_runs_on_a_closed_ticket_is_nobodys_backlog(connection: Connection) -> None:
    folded(connection, history(("2026-01-01 08:00", "buyer_message"), ("2026-01-01 09:00", "solve")))
    compliance.write_compliance(connection, settings.load(), as_of=NIGHT)
    waiting = [row["day"] for row in days(connection) if row["backlog"]]
    assert (waiting[0], waiting[-1]) == (date(2026, 1, 1), date(2026, 1, 28))


def test_what_began_before_the_account_went_live_is_no_backlog(connection: Connection) -> None:
    connection.exec_driver_sql("insert into core.account_start values ('main', '2026-03-01T00:00Z')")
    folded(connection, history(("2026-02-01 08:00", "buyer_message")))
    compliance.write_compliance(connection, settings.load(), as_of=NIGHT)
    assert counted(days(connection), *SHOWN) == [("2026-02-02", "unknown", 0, 0, 1, 0)]


def test_a_ticket_counts_as_solved_and_later_as_reopened_on_the_day_it_was_solved(connection: Connection) -> None:
    asked = [("2026-03-02 08:00", "buyer_message"), ("2026-03-02 10:00", "solve", {"actor": "ana"})]
    folded(connection, history(*asked))
    compliance.write_compliance(connection, settings.load(), as_of=NIGHT)
    [row] = days(connection, "ticket")
    assert (row["agent"], row["ended"], row["reopened"], row["reopened_share"]) == ("ana", 1, 0, 0)
    folded(connection, history(*asked, ("2026-03-05 08:00", "buyer_message")))
    compliance.write_compliance(connection, settings.load(), as_of=NIGHT)
    first, *rest = days(connection, "ticket")
    assert (str(first["day"]), first["reopened"], first["reopened_share"]) == ("2026-03-02", 1, 1)
    assert [(str(row["day"]), row["backlog"], row["oldest_waiting_seconds"] // 3600) for row in rest] == [
        (f"2026-03-{day:02}", 1, 16 + 24 * (day - 5)) for day in range(5, 10)
    ]


def test_a_resting_clock_is_no_backlog_and_has_not_ended(connection: Connection) -> None:
    steps = [("2026-03-02 08:00", "buyer_message"), ("2026-03-02 20:00", "solve"), ("2026-03-04 08:00", "unread")]
    folded(connection, history(*steps, ("2026-03-05 08:00", "solve")), levels(resolution="3d"))
    compliance.write_compliance(connection, settings.load(), as_of=NIGHT)
    assert counted(days(connection, "resolution"), "day", "ended", "met", "backlog") == [
        ("2026-03-04", 0, 0, 1),
        ("2026-03-05", 1, 1, 0),
    ]
    [ended] = [row for row in days(connection, "resolution") if row["ended"]]
    assert (ended["median_elapsed_seconds"], ended["median_response_seconds"]) == (36 * 3600, 72 * 3600)


def in_teams(team: str | None) -> Settings:
    current = settings.load()
    account = current.accounts[0]
    there = AccountMarketplace(team=team, desk="seller_central" if team else None)
    changed = account.model_copy(update={"name": "main", "marketplaces": {"DE": there}})
    return current.model_copy(update={"accounts": (changed,)})


def test_desk_and_team_are_those_of_the_settings_and_follow_them(connection: Connection) -> None:
    folded(connection, history(("2026-03-02 08:00", "buyer_message"), ("2026-03-02 10:30", "reply")))
    places = []
    for team in ("night", None):
        compliance.write_compliance(connection, in_teams(team), as_of=NIGHT)
        [row] = days(connection)
        places.append((row["desk"], row["team"]))
    assert places == [("seller_central", "night"), ("bqool", None)]


# ---------- against the rules written down plainly, and against making everything anew

GAPS = [timedelta(0), 20 * MINUTE, 7 * HOUR, DAY - MINUTE, DAY, 3 * DAY, 8 * DAY, 30 * DAY]
KINDS = ["buyer_message", "buyer_message", "reply", "reply", "hold", "solve", "unread", "no_response_needed"]
HISTORIES = st.lists(
    st.lists(
        st.tuples(st.sampled_from(GAPS), st.sampled_from(KINDS), st.sampled_from(["ana", "ben", "seller"])),
        min_size=1,
        max_size=7,
    ),
    min_size=1,
    max_size=5,
)
BEGIN = datetime(2026, 2, 26, 22, 40, tzinfo=UTC)
ASKED = st.lists(st.integers(0, 90 * 24), min_size=1, max_size=5)


def told_of(histories: Any) -> list[Row]:
    told = []
    for number, steps in enumerate(histories):
        at = BEGIN + number * 5 * HOUR
        for place, (gap, kind, actor) in enumerate(steps):
            at += gap
            fields = {"source_id": f"{number} {place}", "source_order": place, "actor": actor}
            account, site = ("main", "DE") if number % 2 else ("two", "FR")
            told.append(event(at, kind, key=f"T{number}", account=account, marketplace=site, **fields))
    return told


@options(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories=HISTORIES, hours=ASKED, arrival=st.randoms(use_true_random=False), data=st.data())
def test_step_by_step_in_any_order_of_arrival_gives_what_a_rebuild_gives(
    connection: Connection, histories: Any, hours: list[int], arrival: Any, data: Any
) -> None:
    told = told_of(histories)
    arrival.shuffle(told)
    promised = levels(amazon_reply="24h", team={"target": "10h", "pauses_in": ["on_hold"]}, resolution="3d")
    current = settings.load()
    with connection.begin_nested() as example:
        for place, hour in enumerate(hours):
            folded(connection, told[place :: len(hours)], promised)
            if data.draw(st.booleans()) or place == len(hours) - 1:
                compliance.write_compliance(connection, current, as_of=BEGIN + hour * HOUR)
        step_by_step = everything(connection)
        known = connection.exec_driver_sql("select made_until from ops.compliance_made").scalar_one()
        as_of = datetime(known.year, known.month, known.day, tzinfo=UTC)
        compliance.rebuild_compliance(connection, current, as_of=as_of)
        assert everything(connection) == step_by_step
        check(connection, as_of)
        example.rollback()


def check(connection: Connection, as_of: datetime) -> None:
    """Each day's reply clocks, counted one by one."""
    clocks = connection.exec_driver_sql("select * from mart.sla_clock where metric = 'amazon_reply'").mappings().all()
    closed = {
        (account, ticket): at
        for account, ticket, at in connection.exec_driver_sql(
            "select account, ticket_id, from_at from mart.ticket_status where status = 'closed'"
        )
    }
    wanted: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    day = BEGIN.replace(hour=0, minute=0)
    while day + DAY <= as_of:
        for clock in clocks:
            end = min(clock["stopped_at"] or as_of, closed.get((clock["account"], clock["ticket_id"])) or as_of)
            cell = wanted[day.date(), clock["account"]]
            if clock["stopped_at"] and day <= clock["stopped_at"] < day + DAY:
                cell[0] += 1
                cell[1] += clock["breached_at"] is None
            cell[2] += bool(clock["breached_at"]) and day <= clock["breached_at"] < day + DAY
            cell[3] += clock["started_at"] < day + DAY <= end
        day += DAY
    rows = connection.exec_driver_sql(
        "select day, account, sum(ended), sum(met), sum(breached), sum(backlog) from mart.compliance_day"
        " where metric = 'amazon_reply' group by day, account"
    )
    assert {(day, account): [int(n) for n in numbers] for day, account, *numbers in rows} == {
        key: cell for key, cell in wanted.items() if any(cell)
    }
    by_month = (
        "select {month}, account, metric, agent, sum(ended), sum(met), sum(breached), sum(reopened) from mart.{table}"
        " group by 1, 2, 3, 4 having sum(ended + met + breached) > 0 order by 1, 2, 3, 4"
    )
    of_days = by_month.format(month="date_trunc('month', day)::date", table="compliance_day")
    of_months = by_month.format(month="month", table="compliance_month")
    assert connection.exec_driver_sql(of_days).all() == connection.exec_driver_sql(of_months).all()
