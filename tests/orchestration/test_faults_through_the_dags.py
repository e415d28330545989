"""The catalogue of faults through the DAGs themselves: stand-ins bring them, rules catch them, the rest goes on."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet
from desk_exports import NOTED, SOLVED, as_csv
from faults import DAY, DESK, HOUR, LINES, LOOKALIKE, ORDERS
from health_reports import DE, document, rate
from landing import NOON, iso, order, order_id, rows
from report_lines import flat_file, report_line
from sqlalchemy import Engine

from amazon_support.settings import home
from sandbox.amazon import TOKEN_PATH, create_app
from sandbox.amazon_faults import Faults
from sandbox.amazon_report_content import CANCELLED, PERFORMANCE, Outcome, ReportRequest, Stock, done
from sandbox.http import serve
from sandbox.mail_servers import ImapServer, imap_server
from sandbox.world import SandboxMail, Seller, World

SITES = {"eu": "DE", "na": "US", "fe": "JP"}
NOT_A_ROW = {"time zone shifted by one hour", "answer of another window", "answer without an order"}

# What each search for orders brings: faulty ones among clean ones, then answers that are wrong as a whole.
FAULTY_ORDERS = [
    order_json if order_json.get("orderId") != order()["orderId"] else order_json | {"orderId": order_id(500 + number)}
    for number, (fault, ([order_json, *_], _)) in enumerate(
        (fault, given) for fault, given in ORDERS.items() if fault not in NOT_A_ROW
    )
]
CLEAN_ORDERS = [order(order_id(900 + number)) for number in range(30)]
ANSWERS = [
    FAULTY_ORDERS + CLEAN_ORDERS,
    ORDERS["time zone shifted by one hour"][0],
    ORDERS["answer of another window"][0],
]

FAULTY_LINES = [report_line(order_id(600 + number)) | wrong for number, (wrong, _) in enumerate(LINES.values())]
CLEAN_LINES = [report_line(order_id(700 + number)) for number in range(30)]

FEEDBACK = {
    "six stars": ({"Bewertung": "6"}, "line_readable"),
    "order id with a look-alike dash": ({"Bestellnummer": LOOKALIKE}, "line_readable"),
    "day and month changed places": ({"Datum": "5.11.99"}, "not_in_the_future"),
    "older than what was asked for": ({"Datum": "1.10.25"}, "rated_within_the_span"),
    "one order twice": ({"Bestellnummer": order_id(700)}, "one_line_an_order"),
}
HEALTH = {
    "percent for a share": ({"lateShipmentRate": rate(7)}, "share_valid"),
    "word for a figure": ({"validTrackingRate": rate("low")}, "other_fields_readable"),
    "status nobody knows": ({"onTimeDeliveryRate": rate(0.02, status="PURPLE")}, "status_known"),
}
MAILS = {
    "nobody recognises the mail": "most_mail_recognised",
    "months under way": "not_long_under_way",
}


def feedback_line(number: int, **changes: str) -> dict[str, str]:
    fields = {"Datum": "1.3.26", "Bewertung": "1", "Kommentare": "Kam zu spät.", "Antwort": ""}
    return fields | {"Bestellnummer": order_id(number), "E-Mail des Bewerters": "x@marketplace.amazon.de"} | changes


def make_report(request: ReportRequest, stock: Stock) -> Outcome:
    """Europe's reports have bad lines among good ones; North America's are cut off, the far east has none."""
    if request.type.startswith("GET_FLAT_FILE") and request.region == "eu":
        return done(request, flat_file(*FAULTY_LINES, *CLEAN_LINES).encode("cp1252"), "Cp1252")
    if request.type.startswith("GET_FLAT_FILE") and request.region == "na":
        few = [{name: line[name] for name in list(line)[:8]} for line in CLEAN_LINES]
        return done(request, flat_file(*few).encode(), "UTF-8")
    if request.type == "GET_SELLER_FEEDBACK_DATA" and request.region == "eu":
        wrong = [feedback_line(800 + number, **changes) for number, (changes, _) in enumerate(FEEDBACK.values())]
        right = [feedback_line(700 + number) for number in range(30)]
        return done(request, flat_file(*wrong, *right).encode("cp1252"), "Cp1252", zipped=False)
    if request.type == PERFORMANCE and request.region == "eu":
        metrics = {name: figure for changes, _ in HEALTH.values() for name, figure in changes.items()}
        return done(request, json.dumps(document(DE, **metrics)).encode(), "UTF-8")
    return CANCELLED


def letter(number: int, sent_at: datetime) -> SandboxMail:
    """Mail of nobody that we know."""
    message = EmailMessage()
    message["From"] = f"somebody{number}@elsewhere.example"
    message["Subject"] = f"Number {number}"
    message["Message-ID"] = f"<{number}@elsewhere.example>"
    message["Date"] = sent_at
    message.set_content("Hello there.")
    return SandboxMail("shop", NOON - HOUR / 2, message.as_bytes())


LETTERS = [letter(number, NOON - HOUR) for number in range(12)]
LETTERS.append(letter(20, NOON - 90 * DAY))


def write_settings(folder: Path) -> None:
    """One account, answered in a marketplace of each region, with a mailbox and a desk that drops its exports."""
    shipped = yaml.safe_load((home() / "include/settings/marketplaces.yaml").read_text())["marketplaces"]
    others = {site["country"]: "disabled" for site in shipped if site["country"] not in SITES.values()}
    account = {
        "name": "shop",
        "amazon_connections": [f"amazon_sp_api_shop_{region}" for region in SITES],
        "mailboxes": [{"connection": "imap_shop"}],
        "marketplaces": others,
    }
    (folder / "accounts.yaml").write_text(yaml.safe_dump({"accounts": [account]}))
    desks = yaml.safe_load((home() / "include/settings/desk_files.yaml").read_text())
    exports = folder / "exports"
    exports.mkdir()
    good = [NOTED | {"Order ID": order_id(900 + number)} for number in range(6)]
    today = exports / "today.csv"
    today.write_text(as_csv(*good, *(SOLVED | wrong for wrong, _ in DESK.values())))
    written_at = (NOON - HOUR).timestamp()  # what has just been written is left for the next hour
    os.utime(today, (written_at, written_at))
    desks["desk_files"]["folders"] = [
        {"account": "shop", "desk": "bqool", "url": str(exports), "format": "bqool", "timezone": "UTC"}
    ]
    (folder / "desk_files.yaml").write_text(yaml.safe_dump(desks))


def connections(amazon: str, mail: ImapServer) -> dict[str, str]:
    """Airflow's connections as environment variables."""
    found: dict[str, Any] = {
        f"amazon_sp_api_shop_{region}": {
            "conn_type": "amazon_sp_api",
            "extra": {
                "region": region, "refresh_token": f"Atzr|{region}", "client_id": "id", "client_secret": "secret",
                "endpoint": amazon, "token_url": amazon + TOKEN_PATH,
            },
        }
        for region in SITES
    }  # fmt: skip
    login = mail.users["shop"]
    found["imap_shop"] = {
        "conn_type": "imap", "host": mail.host, "port": mail.port, "login": login.user, "password": login.password,
        "extra": {"use_ssl": False},
    }  # fmt: skip
    return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(fields) for name, fields in found.items()}


@pytest.fixture(scope="module")
def ran(module_warehouse: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, str]]]:
    """States of the tasks, by DAG, after each DAG ran once over what the stand-ins bring."""
    folder = tmp_path_factory.mktemp("faults")
    write_settings(folder)
    sellers = tuple(
        Seller("shop", region, (site,), "id", "secret", f"Atzr|{region}", "ASHOP") for region, site in SITES.items()
    )
    world = World(sellers=sellers, orders={("shop", region): [] for region in SITES}, mails=[])
    faults = Faults()
    for answer in ANSWERS:
        faults.next("searchOrders", body={"orders": answer, "pagination": {}})
    ahead = NOON - datetime.now(UTC)
    app = create_app(
        world, rate_factor=1000, faults=faults, make_report=make_report, clock=lambda: datetime.now(UTC) + ahead
    )
    runs = {"orders_history": 30 * DAY, "support_hourly": HOUR, "support_daily": DAY}
    with serve(app) as amazon, imap_server({"shop": LETTERS}) as mail:
        environment = {
            **os.environ,
            **connections(amazon, mail),
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(home() / "dags"),
            "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AMAZON_SUPPORT_SETTINGS": str(folder),
            "AMAZON_SUPPORT_DATA": str(folder / "data"),
            "AMAZON_SUPPORT_WAREHOUSE": module_warehouse.url.render_as_string(hide_password=False),
        }
        asked = [f"{name}={iso(NOON - span)}/{iso(NOON)}" for name, span in runs.items()]
        ended = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("dag_runs.py")), iso(NOON), *asked],
            env=environment,
            capture_output=True,
            text=True,
        )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    yield json.loads(ended.stdout.splitlines()[-1])


def asked(warehouse: Engine, query: str) -> list[tuple[Any, ...]]:
    with warehouse.connect() as connection:
        return rows(connection, query)


CATALOGUE = {
    "orders": {fault: rule for fault, (_, rule) in ORDERS.items() if fault != "answer without an order"},
    "order_report": {fault: rule for fault, (_, rule) in LINES.items()},
    "feedback": {fault: rule for fault, (_, rule) in FEEDBACK.items()},
    "account_health": {fault: rule for fault, (_, rule) in HEALTH.items()},
    "mail": MAILS,
    "desk_action": {fault: rule for fault, (_, rule) in DESK.items()},
}


def test_the_catalogue_is_long_enough() -> None:
    assert sum(map(len, CATALOGUE.values())) >= 50


@pytest.mark.slow
@pytest.mark.parametrize("dataset", CATALOGUE)
def test_each_fault_is_caught_by_its_rule(
    ran: dict[str, dict[str, str]], module_warehouse: Engine, dataset: str
) -> None:
    failed = f"select rule, failed_count from ops.check_result where dataset = '{dataset}' and not passed"
    unread = f"select rule, 1 from ops.quarantine where dataset = '{dataset}' and rule = 'line_readable'"
    found = Counter[str]()
    for rule, count in asked(module_warehouse, f"{failed} union all {unread}"):
        found[rule] += count
    expected = Counter(CATALOGUE[dataset].values())
    assert {rule: (count, found[rule]) for rule, count in expected.items() if found[rule] < count} == {}


@pytest.mark.slow
def test_a_report_that_lost_its_columns_stops_its_region_and_nothing_else(ran: dict[str, dict[str, str]]) -> None:
    failed = {f"{dag}: {task}" for dag, states in ran.items() for task, state in states.items() if state == "failed"}
    assert failed == {"orders_history: orders.pull_1", "orders_history: summary"}


@pytest.mark.slow
def test_what_was_right_is_published(ran: dict[str, dict[str, str]], module_warehouse: Engine) -> None:
    aside = "select row_key from ops.quarantine where dataset in ('orders', 'order_report')"
    known = {each for (each,) in asked(module_warehouse, "select order_id from core.amazon_order")}
    assert known >= {each["orderId"] for each in CLEAN_ORDERS} | {each["amazon-order-id"] for each in CLEAN_LINES}
    assert not known & {each for (each,) in asked(module_warehouse, aside)}


@pytest.mark.slow
def test_each_fault_is_told_with_the_command_to_look_closer(
    ran: dict[str, dict[str, str]], module_warehouse: Engine
) -> None:
    told = "\n".join(
        sentence for (sentence,) in asked(module_warehouse, "select sentence from mart.data_quality_trouble")
    )
    for dataset, faults in CATALOGUE.items():
        for rule in faults.values():
            assert f"--dataset {dataset} --rule {rule}." in told
