"""The pages with millions of tickets in store: nothing is read from end to end, and no page grows with what there is.

The warehouse is a miniature: two years of a busy agency with one ticket for each 2,500. PostgreSQL has counted it, and
is then told that each table has 2,500 times as many rows: it plans as it would for five million tickets.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import psycopg
import pytest
import yaml
from many_tickets import ACCOUNTS, AGENTS, LONG_TICKETS, invent_long_tickets, invent_tickets, marketplaces_of
from sqlalchemy import Connection, Engine, Pool, event
from visitors import NOW, Browser, visiting

from amazon_support.settings import home

TICKETS, TIMES = 2_000, 2_500
BIG = 100_000  # rows; what is smaller may be read from end to end
MANY = 300_000  # rows; not even an index may give a query more of them
LIMIT = 300_000  # bytes of a page
USERS = {
    "ana": {"role": "agent", "agent": AGENTS[0]},
    "lea": {"role": "lead", "agent": AGENTS[1]},
    "vic": {"role": "viewer"},
}
OFFICE = {"name": "office", "timezone": "Europe/Berlin", "hours": {"mon-fri": ["09:00-18:00"]}}


@pytest.fixture(scope="module")
def miniature(module_warehouse: Engine) -> Engine:
    """The warehouse, and PostgreSQL's belief that it is big."""
    invent_tickets(module_warehouse, TICKETS, until=NOW, a_day=3, hours=240)
    with module_warehouse.begin() as connection:
        for (table,) in connection.exec_driver_sql(TABLES).all():  # or it would count again
            connection.exec_driver_sql(f"alter table {table} set (autovacuum_enabled = false)")
        connection.exec_driver_sql(BELIEVE, {"times": TIMES})
        invent_long_tickets(connection, NOW)
    return module_warehouse


@pytest.fixture(scope="module")
def browser(miniature: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    folder = tmp_path_factory.mktemp("settings")
    agents = [
        {"name": name, "email": "a@example.com", "marketplaces": marketplaces_of(number)}
        for number, name in enumerate(AGENTS)
    ]
    policy = {"name": "default", "calendar": "office", "metrics": {"amazon_reply": "24h", "team": "8h"}}
    settings = {
        "agents": {"agents": agents},
        "access": {"access": {"users": USERS}},
        "accounts": {"accounts": [{"name": name, "regions": ["na", "eu", "fe"]} for name in ACCOUNTS]},
        "policies": {"service_levels": {"calendars": [OFFICE], "policies": [policy]}},
    }
    for name, written in settings.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(written))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AMAZON_SUPPORT_WAREHOUSE", miniature.url.render_as_string(hide_password=False))
        yield from visiting(folder, patch)


TABLES = """
select oid::regclass::text as name from pg_class
where relkind = 'r' and relnamespace::regnamespace::text in ('raw', 'core', 'pii', 'mart', 'ops')
"""
# The planner takes rows per page from here and the pages from the file.
BELIEVE = """
update pg_class set reltuples = reltuples * %(times)s
where relkind in ('r', 'i') and reltuples > 0
and relnamespace::regnamespace::text in ('raw', 'core', 'pii', 'mart', 'ops')
"""
SIZES = """
select oid::regclass::text as name, reltuples as rows from pg_class
where relkind in ('r', 'i') and relnamespace::regnamespace::text in ('raw', 'core', 'pii', 'mart', 'ops')
"""


# ---------- what the pages ask


def pages(connection: Connection) -> dict[str, str]:
    """Every page, with what can be chosen on it; by what it is called."""
    row = connection.exec_driver_sql(
        "select t.account, t.ticket_id, t.order_id, t.marketplace, t.buyer_ref from mart.ticket as t"
        " inner join mart.ticket_status as s on t.account = s.account and t.ticket_id = s.ticket_id"
        " where t.marketplace = 'US' and t.order_id is not null and s.status = 'open' and s.until_at = 'infinity'"
        " order by t.last_event_at desc limit 1"
    ).one()
    case = connection.exec_driver_sql("select max(case_id) from mart.ticket").scalar_one()
    ticket = f"{row.account}/{row.ticket_id}"
    filters = {
        "all": "",
        "status": "status=new,open",
        "type": "ticket_type=case_update",
        "marketplace": "marketplace=US",
        "account": "account=shop_1",
        "agent": "agent=Agent+001",
        "next": f"after={NOW.isoformat().replace('+', '%2B')}%7Cshop_1/x",
        "csv": "format=csv",
    }
    words = {
        "order": row.order_id,
        "ticket": row.ticket_id,
        "case": case,
        "sku": "SKU-31",
        "asin": "B000000031",
        "alias": "b1@marketplace.amazon.example",
        "words": "word12 word100",
        "nothing": "nothing-of-that-kind",
    }
    levels = {
        "": "", "quarter": "days=90", "year": "days=400", "of a place": "marketplace=DE&metric=team",
        **{by: f"by={by}" for by in ("agent", "ticket_type", "desk", "team")},
    }  # fmt: skip
    behind = {
        "": "", "agent": "by=agent&name=Agent+001", "breached": "outcome=breached", "hour": "weekday=2&hour=9",
        "slow": "least=3600&below=7200", "day": "day=2026-03-09",
    }  # fmt: skip
    return {
        **{f"tickets, {name}": f"/tickets?{query}" for name, query in filters.items()},
        **{
            f"worklist, {name}": f"/worklist?{query}"
            for name, query in filters.items()
            if name in ("all", "marketplace", "agent", "csv")
        },
        **{f"search, {name}": f"/search?q={asked}" for name, asked in words.items()},
        **{f"levels {name}": f"/levels?{query}" for name, query in levels.items()},
        **{f"levels behind {name}": f"/levels/tickets?{query}" for name, query in behind.items()},
        "ticket": f"/tickets/{ticket}",
        "long ticket": f"/tickets/shop_1/{LONG_TICKETS[0]}",
        "ticket that is not there": "/tickets/shop_1/US:order:000-0000000-0000000",
        "feedback": "/feedback",
        "feedback of a year": "/feedback?days=400",
        "health": "/health",
        "pipeline": "/pipeline",
        "api worklist": "/api/worklist",
        "api ticket": f"/api/tickets/{ticket}",
        "api compliance": "/api/compliance?since=2026-01-01&until=2026-03-01",
    }


# ---------- how PostgreSQL would answer

# Where many rows of an index are right, and why.
RIGHT = {
    ("levels/days.sql", "mart.compliance"): "the days that are asked for, already counted",
    ("levels/by.sql", "mart.compliance"): "the days that are asked for, already counted",
    ("levels/shape.sql", "mart.compliance_cycle"): "the days that are asked for, three months at most",
    ("web/compliance.sql", "mart.compliance"): "the days that are asked for",
}


@dataclass
class Plans:
    """Has each query explained before it runs.

    Attributes:
        sizes: rows of each table and index, as PostgreSQL believes. named: the step's file by its text.
        wrong: by what is wrong with a query, the first page that asked it. bytes: of each page.
    """

    sizes: dict[str, float]
    named: dict[str, str]
    explained: int = 0
    page: str = ""
    wrong: dict[str, str] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)

    def listen(self, connection: psycopg.Connection[Any], *_: Any) -> None:
        """To all that is asked by this connection, whoever asks."""
        explain = self.explain

        class Explained(psycopg.Cursor[Any]):
            def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
                explain(self.connection, query, params)
                return super().execute(query, params, **options)

        class ExplainedOfAny(psycopg.ServerCursor[Any]):
            def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
                explain(self.connection, query, params)
                return super().execute(query, params, **options)

        connection.cursor_factory, connection.server_cursor_factory = Explained, ExplainedOfAny

    def explain(self, connection: psycopg.Connection[Any], statement: str, parameters: Any) -> None:
        words = re.sub(r"^\s*--.*$", "", statement, flags=re.MULTILINE).split(maxsplit=1)
        if words[0].lower() not in ("select", "with", "insert", "update", "delete"):
            return
        [[[plan]]] = psycopg.Cursor(connection).execute(f"explain (format json, verbose) {statement}", parameters)
        self.explained += 1
        name = self.named.get(statement, statement)
        for fault, relation in faults(plan["Plan"], self.sizes):
            if not (fault.startswith("takes") and (name, relation) in RIGHT):
                self.wrong.setdefault(f"{name}: {fault} {relation}", self.page)


Node = dict[str, Any]
# What stops its input early if it is stopped early itself.
STREAMING = ("Limit", "Unique", "Nested Loop", "Result", "Subquery Scan", "Append", "Merge Append")


def faults(
    node: Node, sizes: dict[str, float], relation: str = "", is_stopped: bool = False
) -> Iterator[tuple[str, str]]:
    """(what, table) of each scan in a plan that grows with a big table."""
    if "Relation Name" in node:
        relation = f"{node['Schema']}.{node['Relation Name']}"
    if relation and not is_stopped:
        yield from ((what, relation) for what in _faults_of_scan(node, sizes, relation))
    stops = node["Node Type"] == "Limit" or (is_stopped and node["Node Type"] in STREAMING)
    for number, below in enumerate(node.get("Plans", ())):
        yield from faults(below, sizes, relation, stops and number == 0)


def _faults_of_scan(node: Node, sizes: dict[str, float], relation: str) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan" and sizes[relation] > BIG:
        yield "reads all of"
    if "Index Name" in node and node["Node Type"] != "Bitmap Heap Scan":
        index, condition = f"{relation.partition('.')[0]}.{node['Index Name']}", node.get("Index Cond", "")
        columns = set(re.findall(r"(\w+)(?:\[1\]|::\w+)*\)* (?:=|<>|<|>|<=|>=|@@|IS) ", condition)) - {"account"}
        if sizes[index] > BIG and not columns and "ROW(" not in condition and "@@" not in condition:
            yield f"reads all of {node['Index Name']}{' for an account' if condition else ''} of"
    if "Relation Name" in node and node["Plan Rows"] > MANY:
        yield f"takes {node['Plan Rows']:,} rows of"


@pytest.fixture(scope="module")
def plans(miniature: Engine, browser: Browser) -> Plans:
    """What was found by visiting every page as everybody."""
    steps = home() / "include" / "sql"
    named = {path.read_text(encoding="utf-8"): path.relative_to(steps).as_posix() for path in steps.rglob("*.sql")}
    with miniature.connect() as connection:
        found = Plans({row.name: row.rows for row in connection.exec_driver_sql(SIZES)}, named)
        every_page = pages(connection)
    event.listen(Pool, "checkout", found.listen)
    try:
        for user in USERS:
            visitor = browser(user)
            for name, path in every_page.items():
                found.page = f"{name} as {user}"
                answer = visitor.get(path)
                assert answer.status_code == (404 if "not there" in name else 200), found.page
                found.bytes[found.page] = len(answer.content)
    finally:
        event.remove(Pool, "checkout", found.listen)
    return found


def test_no_page_reads_a_big_table_from_end_to_end(plans: Plans) -> None:
    assert plans.explained > 500
    assert not plans.wrong, "\n".join(f"{what} [{page}]" for what, page in plans.wrong.items())


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("select * from mart.ticket where last_event_at > '2026-03-01'", "reads all of mart.ticket"),
        ("select count(*) from mart.ticket where account = 'shop_1' and marketplace = 'US'", "reads all of"),
        ("select * from mart.ticket_status where until_at > '2024-04-01'", "mart.ticket_status"),
        ("select * from mart.ticket where account = 'shop_1' and ticket_id = 'x'", None),
        ("select * from mart.ticket limit 10", None),
    ],
)
def test_a_query_that_grows_is_found(miniature: Engine, statement: str, fault: str | None) -> None:
    with miniature.connect() as connection:
        sizes = {row.name: row.rows for row in connection.exec_driver_sql(SIZES)}
        [[plan]] = connection.exec_driver_sql(f"explain (format json, verbose) {statement}").scalars()
    found = [" ".join(each) for each in faults(plan["Plan"], sizes)]
    assert (not found) if fault is None else any(fault in each for each in found), found


def test_no_page_is_larger_than_it_may_be(plans: Plans) -> None:
    pages = {page: size for page, size in plans.bytes.items() if not page.startswith("api ") and "csv" not in page}
    assert len(pages) > 100
    assert max(pages.values()) < LIMIT, {page: size for page, size in pages.items() if size >= LIMIT}
