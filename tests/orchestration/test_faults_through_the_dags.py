"""The catalogue of faults through the DAGs themselves: stand-ins bring them, rules catch them, the rest goes on."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from click.testing import CliRunner
from cryptography.fernet import Fernet
from desk_exports import NOTED, SOLVED, as_csv
from faults import DAY, DESK, HOUR, LINES, LOOKALIKE, ORDERS
from health_reports import DE, document, rate
from landing import NOON, iso, order, order_id, rows
from report_lines import flat_file, report_line
from sqlalchemy import Engine

from amazon_support.cli import main
from amazon_support.settings import home
from sandbox.amazon import TOKEN_PATH, create_app
from sandbox.amazon_faults import Faults
from sandbox.amazon_report_content import CANCELLED, PERFORMANCE, Outcome, ReportRequest, Stock, done
from sandbox.http import serve
from sandbox.mail_servers import ImapServer, imap_server
from sandbox.world import SandboxMail, Seller, World

SITES = {"eu": ("DE",), "na": ("US",), "fe": ("JP", "AU")}
PULLED_UNTIL = NOON - 6 * HOUR  # by the history; the hourly run begins an hour before noon


class Fault(NamedTuple):
    """What was wrong, and the rule that must name it.

    Attributes:
        where: the row's key; of a rule for whole batches, and of standing ones, the scope; of searched orders as a
            whole the first of them.
    """

    dataset: str
    name: str
    rule: str
    where: str


# ---------- orders by search: faulty ones among clean ones, then answers that are wrong as a whole

NOT_A_ROW = {"time zone shifted by one hour", "answer of another window", "answer without an order"}
FAULTY_ORDERS = {
    fault: given if given.get("orderId") != order()["orderId"] else given | {"orderId": order_id(500 + number)}
    for number, (fault, ([given, *_], _)) in enumerate(each for each in ORDERS.items() if each[0] not in NOT_A_ROW)
}
CLEAN_ORDERS = [order(order_id(900 + number)) for number in range(30)]
SHIFTED = ORDERS["time zone shifted by one hour"][0]
OF_ANOTHER_WINDOW = [
    given | {"orderId": order_id(100 + number)} for number, given in enumerate(ORDERS["answer of another window"][0])
]
# Which region's search is answered by which of them is not settled: Airflow runs mapped tasks in any order.
ANSWERS = [[*FAULTY_ORDERS.values(), *CLEAN_ORDERS], SHIFTED, OF_ANOTHER_WINDOW]
OF_ORDERS = [
    Fault("orders", name, ORDERS[name][1], given.get("orderId", "?1")) for name, given in FAULTY_ORDERS.items()
] + [
    Fault("orders", "time zone shifted by one hour", "changed_in_the_window", order_id(0)),
    Fault("orders", "answer of another window", "changed_in_the_window", order_id(100)),
]

# ---------- orders by report: bad lines among good ones; days with a hundred times as many and none; lines twice


def history_line(number: int, placed: datetime = NOON - 2 * DAY, **changes: Any) -> dict[str, Any]:
    times = {"purchase-date": iso(placed), "last-updated-date": iso(placed + HOUR / 2)}
    return report_line(order_id(number), **changes) | times


FAULTY_LINES = [history_line(600 + number) | wrong for number, (wrong, _) in enumerate(LINES.values())]
CLEAN_LINES = [history_line(700 + number) for number in range(30)]
SAME_WEEKDAYS = [PULLED_UNTIL - week * 7 * DAY - HOUR for week in (1, 2, 3)]
USUAL_DAYS = [
    line
    for week, day in enumerate(SAME_WEEKDAYS)
    for line in (
        *(history_line(1000 + 100 * week + number, day, sales_channel="Amazon.co.jp") for number in range(40)),
        *(history_line(2000 + 100 * week + number, day, sales_channel="Amazon.com.au") for number in range(4)),
    )
]
TODAY = [history_line(3000 + number, PULLED_UNTIL - HOUR, sales_channel="Amazon.com.au") for number in range(400)]
TWICE = [history_line(5000 + number // 2, sales_channel="Amazon.co.jp") for number in range(60)]
FEW_COLUMNS = [{name: line[name] for name in list(line)[:8]} for line in CLEAN_LINES]
OF_REPORTS = [
    Fault("order_report", name, rule, f"line {number}") for number, (name, (_, rule)) in enumerate(LINES.items(), 2)
] + [
    Fault("order_report", "each line twice", "line_not_repeated", "line 2"),
    Fault("order_report", "duplicated window", "batch_not_landed_before", "eu"),
    Fault("orders", "missing day", "volume_as_usual", "JP"),
    Fault("orders", "a hundred times the volume", "volume_as_usual", "AU"),
    Fault("orders", "hours that nobody pulled", "no_gap_in_windows", "eu"),
]

# ---------- the other sources

FEEDBACK = {
    "six stars": ({"Bewertung": "6"}, "line_readable"),
    "order id with a look-alike dash": ({"Bestellnummer": LOOKALIKE}, "line_readable"),
    "day and month changed places": ({"Datum": "5.11.99"}, "not_in_the_future"),
    "older than what was asked for": ({"Datum": "1.10.25"}, "rated_within_the_span"),
    "one order twice": ({"Bestellnummer": order_id(700)}, "one_line_an_order"),
}
HEALTH = {
    "percent for a share": ("late_shipment_rate", "lateShipmentRate", rate(7), "share_valid"),
    "word for a figure": ("valid_tracking_rate", "validTrackingRate", rate("low"), "other_fields_readable"),
    "status nobody knows": ("on_time_delivery_rate", "onTimeDeliveryRate", rate(0.02, status="PURPLE"), "status_known"),
}
GOOD_EXPORTS = [NOTED | {"Order ID": order_id(900 + number)} for number in range(6)]
OF_OTHERS = [
    *(Fault("feedback", name, rule, f"line {n}") for n, (name, (_, rule)) in enumerate(FEEDBACK.items(), 2)),
    *(Fault("account_health", name, rule, metric) for name, (metric, _, _, rule) in HEALTH.items()),
    Fault("account_health", "report of nothing", "batch_has_rows", "na"),
    *(
        Fault("desk_action", name, rule, f"line {n}")
        for n, (name, (_, rule)) in enumerate(DESK.items(), 2 + len(GOOD_EXPORTS))
    ),
    Fault("mail", "nobody recognises the mail", "most_mail_recognised", "imap_shop"),
    Fault("mail", "months under way", "not_long_under_way", "20@elsewhere.example"),
    Fault("mail", "nobody recognises the mail of a day", "most_mail_recognised_of_a_day", "all"),
]
CATALOGUE = OF_ORDERS + OF_REPORTS + OF_OTHERS


def feedback_line(number: int, **changes: str) -> dict[str, str]:
    fields = {"Datum": "1.3.26", "Bewertung": "1", "Kommentare": "Kam zu spät.", "Antwort": ""}
    return fields | {"Bestellnummer": order_id(number), "E-Mail des Bewerters": "x@marketplace.amazon.de"} | changes


def make_report(request: ReportRequest, stock: Stock) -> Outcome:
    """Europe's reports have bad lines among good ones; North America's are cut off or empty; of the far east's lines
    some come twice, and days have far too many or none.
    """
    if request.type.startswith("GET_FLAT_FILE"):
        lines = {"eu": [*FAULTY_LINES, *CLEAN_LINES], "na": FEW_COLUMNS, "fe": [*TWICE, *USUAL_DAYS, *TODAY]}
        return done(request, flat_file(*lines[request.region]).encode("cp1252"), "Cp1252")
    if request.type == "GET_SELLER_FEEDBACK_DATA" and request.marketplaces == [DE]:
        wrong = [feedback_line(800 + number, **changes) for number, (changes, _) in enumerate(FEEDBACK.values())]
        right = [feedback_line(700 + number) for number in range(30)]
        return done(request, flat_file(*wrong, *right).encode("cp1252"), "Cp1252", zipped=False)
    if request.type == PERFORMANCE and request.region == "eu":
        metrics = {name: figure for _, name, figure, _ in HEALTH.values()}
        return done(request, json.dumps(document(DE, **metrics)).encode(), "UTF-8")
    if request.type == PERFORMANCE and request.region == "na":
        return done(request, json.dumps({"healthOfAccounts": []}).encode(), "UTF-8")
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
    enabled = {country for countries in SITES.values() for country in countries}
    others = {site["country"]: "disabled" for site in shipped if site["country"] not in enabled}
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
    today = exports / "today.csv"
    today.write_text(as_csv(*GOOD_EXPORTS, *(SOLVED | wrong for wrong, _ in DESK.values())))
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


class Ran(NamedTuple):
    """What became of the runs: by DAG the state of each task, and all that was logged."""

    states: dict[str, dict[str, str]]
    log: str


@pytest.fixture(scope="module")
def ran(module_warehouse: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """After the DAGs ran over what the stand-ins bring."""
    folder = tmp_path_factory.mktemp("faults")
    write_settings(folder)
    sellers = tuple(
        Seller("shop", region, sites, "id", "secret", f"Atzr|{region}", "ASHOP") for region, sites in SITES.items()
    )
    world = World(sellers=sellers, orders={("shop", region): [] for region in SITES}, mails=[])
    faults = Faults()
    for answer in ANSWERS:
        faults.next("searchOrders", body={"orders": answer, "pagination": {}})
    ahead = NOON - datetime.now(UTC)
    app = create_app(
        world, rate_factor=1000, faults=faults, make_report=make_report, clock=lambda: datetime.now(UTC) + ahead
    )
    history = f"orders_history={iso(PULLED_UNTIL - 30 * DAY)}/{iso(PULLED_UNTIL)}"
    hour, day = (
        f"{name}={iso(NOON - span)}/{iso(NOON)}" for name, span in (("support_hourly", HOUR), ("support_daily", DAY))
    )
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
        program = str(Path(__file__).with_name("dag_runs.py"))
        ended = subprocess.run(
            [sys.executable, program, iso(NOON), history, history, hour, day],
            env=environment,
            capture_output=True,
            text=True,
        )
    log = ended.stdout + ended.stderr
    assert ended.returncode == 0, log[-6000:]
    yield Ran(json.loads(ended.stdout.splitlines()[-1]), log)


def asked(warehouse: Engine, query: str) -> list[tuple[Any, ...]]:
    with warehouse.connect() as connection:
        return rows(connection, query)


@pytest.fixture(scope="module")
def caught(ran: Ran, module_warehouse: Engine) -> set[tuple[str, str, str]]:
    """Dataset, rule and place, as a Fault has them, of everything that a rule named; mails by their Message-ID."""
    aside = "select dataset, rule, row_key from ops.quarantine"
    warned = (
        "select dataset, rule, jsonb_object_keys(broken_rows) from ops.check_result where state = 'warned' "
        "and broken_rows is not null"
    )
    whole = (
        "select dataset, rule, coalesce((select min(order_id) from raw.order_received as landed "
        "where landed.batch_id = result.batch_id), scope) from ops.check_result as result "
        "where broken_rows is null and (state = 'warned' or state = 'rejected' and rule like 'batch_%')"
    )
    found = {tuple(row) for row in asked(module_warehouse, f"{aside} union {warned} union {whole}")}
    names = dict(asked(module_warehouse, "select mail_id, meaning ->> 'message_id' from pii.mail_received"))
    return {(dataset, rule, names[key].strip("<>") if key in names else key) for dataset, rule, key in found}


def test_the_catalogue_is_long_enough() -> None:
    assert len({fault[:2] for fault in CATALOGUE}) == len(CATALOGUE) >= 55


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: f"{fault.dataset}: {fault.name}")
def test_each_fault_is_caught_by_its_rule(caught: set[tuple[str, str, str]], fault: Fault) -> None:
    named = {where for dataset, rule, where in caught if (dataset, rule) == (fault.dataset, fault.rule)}
    assert any(fault.where in where.split("/") or fault.where == where for where in named), named


@pytest.mark.slow
def test_nothing_is_named_that_was_not_wrong(ran: Ran, module_warehouse: Engine) -> None:
    """No rule fires beyond the catalogue, whatever else the rows were."""
    broken = "select distinct dataset, rule from ops.check_result where state in ('warned', 'rejected')"
    ours = {(fault.dataset, fault.rule) for fault in CATALOGUE}
    assert set(asked(module_warehouse, broken)) - ours == set()


@pytest.mark.slow
def test_what_is_wrong_as_a_whole_stops_its_part_and_nothing_else(ran: Ran) -> None:
    failed = {
        f"{dag}: {task}" for dag, states in ran.states.items() for task, state in states.items() if state == "failed"
    }
    assert failed == {
        "orders_history: orders.pull_1",  # half of its columns are gone
        "orders_history: summary",
        "support_daily: account_health.check",  # a report of nothing
        "support_daily: summary",
    }
    assert ran.states["support_daily"]["account_health.publish"] == "success"


@pytest.mark.slow
def test_a_red_check_says_why_and_where_to_look_in_one_sentence(ran: Ran, module_warehouse: Engine) -> None:
    [(batch,)] = asked(module_warehouse, "select batch_id from ops.batch where rejected_because is not null")
    assert (
        f"Batch {batch} of account_health, account shop (na), waits for a person: batch_has_rows (landed rows at least "
        f"1 expected). Look closer: python -m amazon_support quality show --batch {batch}"
    ) in ran.log


@pytest.mark.slow
def test_what_was_right_is_published(ran: Ran, module_warehouse: Engine) -> None:
    aside = "select row_key from ops.quarantine where dataset in ('orders', 'order_report')"
    known = {each for (each,) in asked(module_warehouse, "select order_id from core.amazon_order")}
    assert known >= {each["orderId"] for each in CLEAN_ORDERS} | {each["amazon-order-id"] for each in CLEAN_LINES}
    assert not known & {each for (each,) in asked(module_warehouse, aside)}


@pytest.mark.slow
def test_each_fault_is_told_and_the_command_told_shows_it(
    ran: Ran, module_warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMAZON_SUPPORT_WAREHOUSE", module_warehouse.url.render_as_string(hide_password=False))
    sentences = [told for (told,) in asked(module_warehouse, "select sentence from mart.data_quality_trouble")]
    commands = [told.rpartition("; see ")[2].removesuffix(".").split() for told in sentences]
    whole = {"batch_has_rows"}  # such batches are told by their number
    for rule in {(fault.dataset, fault.rule) for fault in CATALOGUE if fault.rule not in whole}:
        assert any(("--dataset", rule[0], "--rule", rule[1]) == tuple(command[2:]) for command in commands), rule
    for command in commands:
        shown = CliRunner().invoke(main, command)
        assert shown.exit_code == 0, shown.output
        assert command[-1] in shown.stdout, (command, shown.stdout)
