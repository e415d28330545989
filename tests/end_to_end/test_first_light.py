"""The whole product once: a real scheduler runs the hourly job over invented history served by real servers."""

import email
import email.policy
import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from desk import token
from imapclient import IMAPClient
from marked_buyer import marked_mail, traces, traces_in_database
from sqlalchemy import Connection, text

from amazon_support import demo, settings
from amazon_support.local import LocalStack
from amazon_support.mail.archive import Archive
from amazon_support.warehouse import connect, engine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
AGENTS = {agent["email"] for agent in demo.AGENTS}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Iterator[demo.DemoResult]:
    """A demo of the newest hour and, as a backfill, the hour before it; still running."""
    folder = tmp_path_factory.mktemp("demo")
    result = demo.run(folder, days=30, hours=2, seed=7, progress=print, port=0)
    yield result
    result.stack.stop()


@pytest.fixture
def warehouse(result: demo.DemoResult) -> Iterator[Connection]:
    with connect(result.stack.warehouse_url) as connection:
        yield connection


def count(connection: Connection, query: str, **parameters: Any) -> int:
    return int(connection.execute(text(query), parameters).scalar_one())


def sent_mails(folder: Path) -> list[email.message.EmailMessage]:
    return [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in sorted((folder / "mail").glob("*.eml"))
    ]


def mails_of(result: demo.DemoResult) -> list[email.message.EmailMessage]:
    """The mails about the newest hour. (A full hour that passes meanwhile brings more, about itself.)"""
    hour = result.as_of.strftime("%H:%M UTC")
    return [mail for mail in sent_mails(result.stack.folder) if hour in mail["Subject"]]


@dataclass(frozen=True)
class Marked:
    """A buyer of the demo whose mail and address tell them from all others."""

    stack: LocalStack
    account: str
    order_id: str
    marks: tuple[str, ...]

    def traces(self) -> dict[str, list[str]]:
        """Where they are: in both databases, logs, archive and all other files but the agents' own mail."""
        stack = self.stack
        secret = hashlib.sha256(f"archive:{stack.env()['AIRFLOW__CORE__FERNET_KEY']}".encode()).hexdigest()
        folders = [each for each in stack.folder.iterdir() if each.is_dir() and each.name not in ("pg", "mail")]
        found = traces(
            engine(stack.warehouse_url), Archive(stack.folder / "archive", secret), *folders, marks=self.marks
        )
        airflow = engine(stack.warehouse_url.replace("/warehouse", "/airflow"))
        return found | {f"airflow.{place}": marks for place, marks in traces_in_database(airflow, self.marks).items()}


@pytest.fixture(scope="module")
def marked(result: demo.DemoResult) -> Marked:
    """One more mail comes, and the hourly job reads it."""
    query = """
        select account, order_id, buyer_alias, lower(recipient #>> '{deliveryAddress, addressLine1}') as street
        from pii.order_contact inner join core.amazon_order using (account, order_id)
        where marketplace = 'DE' and recipient #>> '{deliveryAddress, addressLine1}' in (
            select recipient #>> '{deliveryAddress, addressLine1}' from pii.order_contact
            group by 1 having count(distinct buyer_alias) = 1
        )
        order by ordered_at desc limit 1"""
    with connect(result.stack.warehouse_url) as connection:
        buyer = connection.execute(text(query)).one()
    imap = json.loads((result.stack.folder / "servers.json").read_text())["imap"]
    arrived = marked_mail(at=datetime.now(UTC), order_id=buyer.order_id, alias=buyer.buyer_alias)
    with IMAPClient(imap["host"], imap["port"], ssl=False) as mailbox:
        mailbox.login(*imap["users"][buyer.account].values())
        mailbox.append("INBOX", arrived.raw, msg_time=arrived.received_at)
    assert trigger(result.stack)["state"] == "success"
    alias = buyer.buyer_alias.split("@")[0]
    return Marked(result.stack, buyer.account, buyer.order_id, ("zebulon", "quittenmarmelade", alias, buyer.street))


def trigger(stack: LocalStack, dag: str = demo.DAG, **conf: str) -> dict[str, Any]:
    """A manual run, followed to its end."""
    run = stack.api("POST", f"/dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})
    deadline = time.monotonic() + 300
    while run["state"] not in ("success", "failed") and time.monotonic() < deadline:
        time.sleep(1)
        run = stack.api("GET", f"/dags/{dag}/dagRuns/{run['dag_run_id']}")
    return run


def test_the_newest_hour_the_hour_before_it_and_the_daily_job_succeed(result: demo.DemoResult) -> None:
    kinds = {name.split("__")[0]: state for name, state in result.states.items()}
    assert kinds == {"scheduled": "success", "backfill": "success", "support_daily scheduled": "success"}


def test_the_desks_exports_brought_requests_for_reviews(warehouse: Connection) -> None:
    asked = "select count(*) from core.review_request inner join core.amazon_order using (account, order_id)"
    assert count(warehouse, asked) > 100


def test_the_daily_job_brought_feedback_and_account_health(warehouse: Connection) -> None:
    assert count(warehouse, "select count(*) from core.feedback") > 0
    assert count(warehouse, "select count(*) from mart.account_health") > 0


@pytest.fixture
def pages(result: demo.DemoResult) -> Iterator[httpx.Client]:
    """The support pages for the admin, as within Airflow's own pages, by their cookie."""
    stack = result.stack
    cookies, headers = {"_token": token(stack, "admin", stack.password)}, {"accept": "text/html"}
    with httpx.Client(base_url=stack.airflow_url, cookies=cookies, headers=headers, timeout=60) as client:
        yield client


def act(pages: httpx.Client, ticket: str, **form: str) -> str:
    """Does it on the ticket's page; gives the page that follows."""
    key = re.search(r'name="key" value="([^"]+)"', pages.get(ticket).text)
    assert key
    return pages.post(ticket, data={"key": key[1], **form}, follow_redirects=True).text


def test_the_support_pages_are_airflows_and_ask_who_is_there(result: demo.DemoResult, pages: httpx.Client) -> None:
    stack, page = result.stack, "/support/worklist"
    assert httpx.get(f"{stack.airflow_url}{page}").status_code == 401
    login = httpx.get(f"{stack.airflow_url}{page}", headers={"accept": "text/html"})
    assert "/auth/login" in login.headers["location"]
    shown = pages.get(page)
    assert (shown.status_code, "Reply now" in shown.text) == (200, True)
    ticket = re.findall(r'href="(/support/tickets/[^"]+)"', shown.text)[0]
    assert "Seen by the real server" in act(pages, ticket, action="note", words="Seen by the real server")
    plugins = stack.api("GET", "/plugins")["plugins"]
    assert [view["name"] for plugin in plugins for view in plugin["external_views"]] == ["Support"]


def test_every_order_and_every_mail_became_one_fact(result: demo.DemoResult, warehouse: Connection) -> None:
    landed = count(warehouse, "select count(distinct (account, order_id)) from raw.order_received")
    known = count(warehouse, "select count(*) from core.amazon_order where not is_placeholder")
    assert landed == known > 500
    mails = count(warehouse, "select count(distinct (account, mail_id)) from pii.mail_received")
    assert count(warehouse, "select count(*) from core.mail") == mails > 200
    archived = count(warehouse, "select count(distinct archived_as) from pii.mail_received")
    assert len(list((result.stack.folder / "archive").rglob("*.mail"))) == archived >= mails
    assert count(warehouse, "select count(*) from ops.quarantine") == 0


def test_each_agent_has_a_worklist_for_each_hour(result: demo.DemoResult, warehouse: Connection) -> None:
    hours = warehouse.execute(
        text(
            "select as_of, array_agg(distinct agent order by agent) from mart.worklist_item "
            "where as_of <= :newest group by as_of order by 1"
        ),
        {"newest": result.as_of},
    ).all()
    everybody = sorted(agent["name"] for agent in demo.AGENTS)
    assert [tuple(row) for row in hours] == [
        (result.as_of - timedelta(hours=1), everybody),
        (result.as_of, everybody),
    ]
    assert len([path for path in result.worklists if path.suffix == ".html"]) == 2 * len(everybody)


def test_only_the_newest_hour_wrote_to_people(result: demo.DemoResult) -> None:
    mails = mails_of(result)
    assert {mail["To"] for mail in mails} == AGENTS
    assert (
        len({mail["Message-ID"] for mail in mails})
        == len({(mail["To"], mail["Subject"]) for mail in mails})
        == len(mails)
    )
    alerts = [mail["To"] for mail in mails if mail["Subject"].startswith("Alert")]  # perhaps the daily job's, too
    assert set(alerts) == AGENTS
    assert sorted(mail["To"] for mail in mails if not mail["Subject"].startswith("Alert")) == sorted(AGENTS)
    earlier = (result.as_of - timedelta(hours=1)).strftime("%H:%M UTC")
    assert [mail["Subject"] for mail in sent_mails(result.stack.folder) if earlier in mail["Subject"]] == []


def test_late_answers_and_automatic_solving_are_there(warehouse: Connection) -> None:
    late = "select count(*) from mart.worklist_item where section = 'reply_now' and seconds_left < 0"
    assert count(warehouse, late) > 0
    assert count(warehouse, "select count(*) from mart.ticket_status where cause = 'auto_solve'") > 0


def test_personal_data_is_in_its_own_schema_only(result: demo.DemoResult, warehouse: Connection) -> None:
    names = warehouse.execute(text("select distinct buyer_name from pii.order_contact where length(buyer_name) > 8"))
    aliases = warehouse.execute(text("select distinct split_part(buyer_alias, '@', 1) from pii.order_contact"))
    private = {str(value) for (value,) in [*names, *aliases] if value}
    assert len(private) > 100
    places = {str(path): path.read_text(errors="replace") for path in result.stack.logs.rglob("*.log")}
    places |= {str(path): path.read_text() for path in result.worklists}
    for table in ("core.mail", "core.ticket_event", "mart.ticket", "mart.worklist_item", "ops.batch"):
        rows = warehouse.execute(text(f"select string_agg(t::text, ' ') from {table} t")).scalar()
        places[table] = rows or ""
    xcoms = "select string_agg(value::text, ' ') from xcom"
    with connect(result.stack.warehouse_url.replace("/warehouse", "/airflow")) as airflow:
        places["XCom"] = airflow.execute(text(xcoms)).scalar() or ""
    assert [(place, word) for place, content in places.items() for word in private if word in content] == []


def test_a_buyer_is_among_the_personal_data_and_nowhere_else(marked: Marked) -> None:
    found = marked.traces()
    assert {mark for marks in found.values() for mark in marks} == {*marked.marks}
    assert [place for place in found if not place.startswith(("pii.", "archive"))] == []


def test_an_erased_buyer_is_in_no_table_log_task_result_or_file(marked: Marked) -> None:
    stack = marked.stack
    asked = ["--account", marked.account, "--order", marked.order_id, "--because", "request 7", "--yes"]
    command = [sys.executable, "-m", "amazon_support", "privacy", "erase", *asked]
    subprocess.run(command, env=stack.env(), check=True, capture_output=True)
    stack.api("PATCH", "/dags/support_retention", {"is_paused": False})
    assert trigger(stack, "support_retention")["state"] == "success"
    assert marked.traces() == {}


def test_the_doctor_finds_nothing_wrong(result: demo.DemoResult) -> None:
    command = [sys.executable, "-m", "amazon_support", "doctor", "--json"]
    answer = subprocess.run(command, env=result.stack.env(), capture_output=True, text=True, check=False)
    findings = {finding["what"]: finding for finding in json.loads(answer.stdout)}
    assert [finding for finding in findings.values() if not finding["ok"]] == []
    assert answer.returncode == 0
    assert {"settings", "warehouse", "amazon amazon_northwind_eu", "mailbox mailbox_kirschblut"} <= findings.keys()
    assert {"airflow", "pools", "dags", "deadlines", "worklists", "sources", "quality", "disk"} <= findings.keys()


def test_a_monitor_is_told_that_all_is_well(result: demo.DemoResult) -> None:
    answer = httpx.get(f"{result.stack.airflow_url}/support/healthz", timeout=60)
    assert answer.status_code == 200, answer.text
    assert {"worklists", "sources", "outbox", "scheduler", "triggerer"} <= answer.json()["parts"].keys()


def test_the_deadline_of_a_backfilled_hour_has_passed_and_nobody_is_told(result: demo.DemoResult) -> None:
    query = "select state, output from callback where data::text like '%tell_of_late_list%' and state <> 'scheduled'"
    told: list[Any] = []
    deadline = time.monotonic() + 60
    while not told or {state for state, _ in told} & {"queued", "running", "pending"}:
        assert time.monotonic() < deadline, told
        with connect(result.stack.warehouse_url.replace("/warehouse", "/airflow")) as airflow:
            told = [tuple(row) for row in airflow.execute(text(query))]
        time.sleep(1)
    assert {state for state, _ in told} == {"success"}
    assert all("nobody is told" in output for _, output in told)


def test_history_is_backfilled_by_airflow_mails_nobody_and_is_found_whole(result: demo.DemoResult) -> None:
    stack, mails = result.stack, len(mails_of(result))
    stack.api("PATCH", "/dags/orders_history", {"is_paused": False})
    day = (result.as_of - timedelta(days=31)).strftime("%Y-%m-%d")  # a window of 30 days must have ended
    span = {"from_date": f"{day}T00:00:00Z", "to_date": f"{day}T00:00:00Z"}
    asked = {"dag_id": "orders_history", **span, "max_active_runs": 1, "dag_run_conf": {}}
    stack.api("POST", "/backfills", asked)
    find = partial(demo._first_run, stack, "orders_history", {"run_type": "backfill"})
    assert demo._follow(stack, "orders_history", "history", find, print)["state"] == "success"
    assert len(mails_of(result)) == mails
    until = (result.as_of - timedelta(days=1)).strftime("%Y-%m-%d")
    command = [sys.executable, "-m", "amazon_support", "backfill", "verify", "--from", day, "--to", until]
    answer = subprocess.run(command, env=stack.env(), capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert re.search(r"^all days +northwind ", answer.stdout, re.MULTILINE)


@pytest.mark.usefixtures("marked")  # whose run made tickets of the feedback that the daily job brought
def test_running_the_hour_again_changes_nothing_and_mails_nobody(
    result: demo.DemoResult, warehouse: Connection
) -> None:
    def everything() -> list[Any]:
        tables = ("core.amazon_order", "core.mail", "core.ticket_event", "mart.ticket_status", "mart.sla_clock")
        return [count(warehouse, f"select count(*) from {table}") for table in tables]

    before, mails = everything(), len(mails_of(result))
    assert trigger(result.stack)["state"] == "success"
    assert everything() == before
    assert len(mails_of(result)) == mails


def test_mail_is_read_again_after_a_change_of_rules_and_after_it_is_taken_back(
    result: demo.DemoResult, warehouse: Connection
) -> None:
    stack, mails = result.stack, len(sent_mails(result.stack.folder))
    period = {"window_start": "2020-01-01T00:00:00Z", "window_end": "2100-01-01T00:00:00Z"}

    def read_again() -> None:
        assert trigger(stack, "mail_reread", **period)["state"] == "success"

    def meanings() -> list[Any]:
        kinds = "select kind, count(*), count(distinct ticket_key) from core.mail group by kind order by kind"
        types = "select ticket_type, count(*) from mart.ticket group by ticket_type order by ticket_type"
        return [tuple(row) for query in (kinds, types) for row in warehouse.execute(text(query))]

    stack.api("PATCH", "/dags/mail_reread", {"is_paused": False})
    before = meanings()
    rules = (settings.home() / "include" / "settings" / "mail_rules.yaml").read_text("utf-8")
    changed = stack.folder / "settings" / "mail_rules.yaml"
    changed.write_text(re.sub(r"\breturn_request\b", "refund_notice", rules), "utf-8")
    try:
        read_again()
    finally:
        changed.unlink()
    assert count(warehouse, "select count(*) from core.mail where kind = 'return_request'") == 0
    assert count(warehouse, "select count(*) from mart.ticket where ticket_type = 'return_request'") == 0
    assert meanings() != before
    read_again()
    assert meanings() == before
    assert len(sent_mails(stack.folder)) == mails, "nobody is written to"


def test_an_order_that_is_not_known_here_is_fetched_when_somebody_attaches_it(
    result: demo.DemoResult, pages: httpx.Client
) -> None:
    query = """
        select ticket.account, ticket.ticket_id, bought.order_id
        from mart.ticket as ticket
        inner join core.amazon_order as bought using (account, marketplace)
        where ticket.order_id is null and not bought.is_placeholder
            and not exists (select 1 from mart.ticket as other where other.order_id = bought.order_id)
        order by ticket.last_event_at desc, bought.order_id limit 1"""
    with connect(result.stack.warehouse_url) as connection:
        wanted = dict(connection.execute(text(query)).mappings().one())
        forget = "delete from core.amazon_order where account = :account and order_id = :order_id"
        assert connection.execute(text(forget), wanted).rowcount == 1
    ticket = f"/support/tickets/{wanted['account']}/{wanted['ticket_id']}"
    assert wanted["order_id"] in act(pages, ticket, action="attach_order", order_id=wanted["order_id"])
    find = partial(demo._first_run, result.stack, "orders_wanted", {"run_type": "manual"})
    assert demo._follow(result.stack, "orders_wanted", "order", find, print)["state"] == "success"
    with connect(result.stack.warehouse_url) as connection:
        held = "select is_placeholder from core.amazon_order where account = :account and order_id = :order_id"
        assert connection.execute(text(held), wanted).scalars().all() == [False]


def test_a_wrong_credential_fails_its_account_with_one_clear_error_and_the_others_go_on(
    result: demo.DemoResult,
) -> None:
    stack = result.stack
    accounts_file = stack.folder / "settings" / "accounts.yaml"
    good = accounts_file.read_text()
    secret = "not-the-right-secret"
    servers = json.loads((stack.folder / "servers.json").read_text())
    extra = {"region": "eu", "refresh_token": "Atzr|wrong", "client_id": "nobody", "client_secret": secret}
    extra |= {"endpoint": servers["amazon_url"], "token_url": servers["token_url"]}
    connection = {"connection_id": "amazon_wrong", "conn_type": "amazon_sp_api", "extra": json.dumps(extra)}
    stack.api("POST", "/connections", connection)
    wrong = {"name": "wrongshop", "amazon_connections": ["amazon_wrong"], "mailboxes": []}
    accounts_file.write_text(yaml.safe_dump({"accounts": [*yaml.safe_load(good)["accounts"], wrong]}))
    try:
        run = trigger(stack)
        path = f"/dags/{demo.DAG}/dagRuns/{run['dag_run_id']}/taskInstances?limit=100"
        tasks = stack.api("GET", path)["task_instances"]
    finally:
        accounts_file.write_text(good)
    states = {(task["task_id"], task["map_index"]): (task["state"], task["try_number"]) for task in tasks}
    assert run["state"] == "failed"
    assert states.pop(("orders.pull", 3)) == ("failed", 1), "a person must act: not tried again"
    assert states.pop(("summary", -1))[0] == "failed"
    # An hour in which mail names no unknown order has none to ask for.
    states.pop(("missing_orders.pull", -1), None)
    assert {state for state, _ in states.values()} == {"success"}
    logs = "".join(path.read_text() for path in (stack.logs / "tasks").rglob("*.log") if "map_index=3" in str(path))
    assert "account wrongshop, region eu, connection amazon_wrong" in logs
    assert secret not in logs
