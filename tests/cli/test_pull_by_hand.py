"""Pulling by hand: what comes is printed without personal data, or loaded; what went wrong is one line."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sp_api.auth.access_token_client import cache
from sqlalchemy import Engine, text

from amazon_support import pull
from amazon_support.cli import main
from amazon_support.settings import home
from amazon_support.sources.errors import ComeBackAt
from amazon_support.warehouse.embedded import EmbeddedServer
from sandbox.amazon import TOKEN_PATH, create_app
from sandbox.http import serve
from sandbox.world import Seller, World, generate

NOW = datetime.now(UTC)  # the command asks for what is recent by the real clock
DAY = timedelta(days=1)
SELLER = Seller("shop", "eu", ("DE", "FR"), "id", "a-secret", "Atzr|shop-eu", "ASHOP")
VARIABLES = {
    "AMAZON_SP_API_REFRESH_TOKEN": "Atzr|shop-eu",
    "AMAZON_SP_API_CLIENT_ID": "id",
    "AMAZON_SP_API_CLIENT_SECRET": "a-secret",
}
WHO = ("--account", "shop", "--region", "eu")
PERSONAL = ("buyer", "recipient", "payment")


@pytest.fixture(scope="module")
def world() -> World:
    return generate(seed=5, until=NOW - timedelta(minutes=5), days=6, sellers=[SELLER], orders_per_day=8)


@pytest.fixture(scope="module")
def amazon(world: World) -> Iterator[str]:
    with serve(create_app(world, rate_factor=10_000)) as url:
        yield url


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings with two accounts, credentials of one in the environment, and no warehouse."""
    (tmp_path / "accounts.yaml").write_text(
        "accounts:\n"
        "  - {name: shop, regions: [na, eu], marketplaces: {MX: disabled, US: disabled, CA: disabled, BR: deleted}}\n"
        "  - {name: outlet, regions: [fe]}\n"
    )
    monkeypatch.setenv("AMAZON_SUPPORT_SETTINGS", str(tmp_path))
    monkeypatch.delenv("AMAZON_SUPPORT_WAREHOUSE", raising=False)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def ask(amazon: str) -> Any:
    """Runs the command against the stand-in."""

    def run(*arguments: str, who: tuple[str, ...] = WHO) -> Result:
        cache.clear()  # access tokens, kept by the process: every call is as in a new one
        where = ("--endpoint", amazon, "--token-url", amazon + TOKEN_PATH)
        return CliRunner().invoke(main, ["pull", *arguments, *who, *where])

    return run


def changed(world: World, start: datetime, end: datetime) -> list[dict[str, Any]]:
    return [o for o in world.orders["shop", "eu"] if start <= datetime.fromisoformat(o["lastUpdatedTime"]) < end]


def records(answer: Result) -> list[dict[str, Any]]:
    assert answer.exit_code == 0, answer.output
    return [json.loads(line) for line in answer.stdout.splitlines()]


def persons(order: dict[str, Any]) -> list[str]:
    """Names, addresses and streets in an order."""
    address = order.get("recipient", {}).get("deliveryAddress", {})
    found = [*order.get("buyer", {}).values(), address.get("name"), address.get("addressLine1")]
    return [value for value in found if value]


# ---------- what is printed


def test_orders_of_the_last_day_are_a_table_without_buyers(ask: Any, world: World) -> None:
    answer = ask("orders")
    expected = changed(world, NOW - DAY, NOW)
    heading, *rows = answer.stdout.splitlines()
    assert heading.split()[:4] == ["order", "site", "status", "by"]
    assert sorted(row.split()[0] for row in rows) == sorted(order["orderId"] for order in expected)
    assert {row.split()[1] for row in rows} <= {"DE", "FR"}
    assert len({row.index(row.split()[1]) for row in rows}) == 1, "columns are lined up"
    assert any(persons(order) for order in expected)
    for order in expected:
        assert not [word for word in persons(order) if word in answer.output]
    assert "calls to Amazon: 1 searchOrders" in answer.stderr


def test_orders_as_json_are_one_object_a_line_as_amazon_gives_them_but_for_persons(ask: Any, world: World) -> None:
    printed = {order["orderId"]: order for order in records(ask("orders", "--json"))}
    expected = {order["orderId"]: order for order in changed(world, NOW - DAY, NOW)}
    assert printed.keys() == expected.keys()
    for order_id, order in expected.items():
        assert printed[order_id]["fulfillment"] == order["fulfillment"]
        assert not printed[order_id].keys() & set(PERSONAL)


def test_personal_data_are_printed_when_asked_for(ask: Any, world: World) -> None:
    known = next(order for order in world.orders["shop", "eu"] if "buyer" in order and "recipient" in order)
    (printed,) = records(ask("order", known["orderId"], "--json", "--with-personal-data"))
    assert (printed["buyer"], printed["recipient"]) == (known["buyer"], known["recipient"])
    assert known["buyer"]["buyerName"] in ask("order", known["orderId"], "--with-personal-data").stdout
    assert known["buyer"]["buyerName"] not in ask("order", known["orderId"]).output


def test_days_count_whole_and_in_utc(ask: Any, world: World) -> None:
    day = (NOW - 3 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    printed = records(ask("orders", "--json", "--from", f"{day:%Y-%m-%d}", "--to", f"{day:%Y-%m-%d}"))
    expected = {order["orderId"] for order in changed(world, day, day + DAY)}
    assert expected
    assert {order["orderId"] for order in printed} == expected


def test_a_span_may_be_given_in_any_time_zone(ask: Any, world: World) -> None:
    start, end = NOW - 3 * DAY, NOW - 2 * DAY
    tokyo = timedelta(hours=9)
    span = ("--from", f"{start + tokyo:%Y-%m-%dT%H:%M}+09:00", "--to", f"{end:%Y-%m-%dT%H:%M}Z")
    whole = {"second": 0, "microsecond": 0}
    expected = {order["orderId"] for order in changed(world, start.replace(**whole), end.replace(**whole))}
    assert {order["orderId"] for order in records(ask("orders", "--json", *span))} == expected


def test_where_nothing_came_nothing_is_printed(ask: Any) -> None:
    long_ago = ("--from", "2020-01-01", "--to", "2020-01-02")
    for form in ([], ["--json"]):
        answer = ask("orders", *long_ago, *form)
        assert (answer.exit_code, answer.stdout) == (0, "")


def test_airflow_is_not_needed_where_the_environment_has_the_credentials(amazon: str) -> None:
    arguments = ["pull", "orders", *WHO, "--endpoint", amazon, "--token-url", amazon + TOKEN_PATH]
    program = (
        "import sys; from amazon_support.cli import main\n"
        f"main({arguments!r}, standalone_mode=False)\n"
        "print('airflow' in sys.modules, file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stderr.splitlines()[-1] == "False"


# ---------- whose credentials


def connection(monkeypatch: pytest.MonkeyPatch, name: str, region: str, url: str) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    extra = {
        "region": region, "refresh_token": "Atzr|shop-eu", "client_id": "id", "client_secret": "a-secret",
        "endpoint": url, "token_url": url + TOKEN_PATH,
    }  # fmt: skip
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": "amazon_sp_api", "extra": extra}))


def test_airflows_connection_for_the_region_is_found_among_the_accounts(
    amazon: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection(monkeypatch, "amazon_sp_api_shop_na", "na", "http://127.0.0.1:9")
    connection(monkeypatch, "amazon_sp_api_shop_eu", "eu", amazon)
    answer = CliRunner().invoke(main, ["pull", "orders", "--json", *WHO])
    assert len(records(answer)) == len(changed(world, NOW - DAY, NOW))
    assert "connection amazon_sp_api_shop_eu" in answer.stderr


def test_an_account_without_a_connection_for_the_region_says_what_it_has(
    amazon: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection(monkeypatch, "amazon_sp_api_shop_na", "na", amazon)
    answer = CliRunner().invoke(main, ["pull", "orders", *WHO])
    assert answer.exit_code == 1
    (line,) = answer.stderr.splitlines()
    assert line.startswith("Error: No connection of account shop for region eu.")
    assert "Connection amazon_sp_api_shop_na is of region na." in line
    assert "There is no Airflow connection amazon_sp_api_shop_eu" in line
    assert "set AMAZON_SP_API_REFRESH_TOKEN" in line


def test_wrong_credentials_are_one_line_without_the_secret(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAZON_SP_API_CLIENT_SECRET", "not-the-secret")
    answer = ask("orders")
    assert answer.exit_code == 1
    assert answer.stdout == ""
    errors = [line for line in answer.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert "Amazon refuses the credentials (account shop, region eu" in errors[0]
    assert "not-the-secret" not in answer.output
    assert "Traceback" not in answer.output


def test_half_of_the_variables_are_a_mistake(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMAZON_SP_API_CLIENT_SECRET")
    answer = ask("orders")
    assert answer.exit_code == 1
    assert "The environment lacks AMAZON_SP_API_CLIENT_SECRET" in answer.stderr


# ---------- wrong calls


@pytest.mark.parametrize(
    ("arguments", "who", "says"),
    [
        (["orders"], ("--account", "nobody", "--region", "eu"), "no account 'nobody' in accounts.yaml; there are:"),
        (["orders"], ("--account", "shop", "--region", "na"), "nothing is pulled for account shop in region na"),
        (["orders"], ("--account", "shop", "--region", "us"), "'us' is not one of 'na', 'eu', 'fe'"),
        (["orders", "--from", "yesterday"], WHO, "'yesterday' is no time; expected such as 2026-03-01T10:00Z"),
        (["orders", "--from", "2026-03-01T10:00"], WHO, "has no time zone; expected such as 2026-03-01T10:00Z"),
        (["orders", "--from", "2026-03-02", "--to", "2026-03-01"], WHO, "--from 2026-03-02 00:00 UTC is not before"),
        (["order"], WHO, "Missing argument 'ID'"),
        (["health", "--from", "2026-03-02"], WHO, "No such option"),
    ],
)  # fmt: skip
def test_a_wrong_call_says_what_was_expected(ask: Any, arguments: list[str], who: tuple[str, ...], says: str) -> None:
    answer = ask(*arguments, who=who)
    assert answer.exit_code == 2
    assert says in " ".join(answer.output.split())


def test_an_order_that_amazon_does_not_know_is_one_line(ask: Any) -> None:
    answer = ask("order", "302-0000000-0000000")
    assert answer.exit_code == 1
    assert "302-0000000-0000000" in answer.stderr.splitlines()[-1]
    assert "Traceback" not in answer.output


# ---------- into the warehouse


def column(warehouse: Engine, query: str) -> list[Any]:
    with warehouse.connect() as session:
        return list(session.execute(text(query)).scalars())


def test_loaded_orders_are_facts_and_the_hourly_job_goes_on_where_it_was(
    ask: Any, world: World, warehouse: Engine
) -> None:
    (loaded,) = records(ask("orders", "--load", "--json"))
    known = column(warehouse, "select order_id from core.amazon_order where not is_placeholder")
    assert set(known) >= {order["orderId"] for order in changed(world, NOW - DAY, NOW)}
    assert (loaded["rows"], loaded["published"]["orders"], loaded["problem"]) == (len(known), 1, "")
    assert column(warehouse, "select count(*) from ops.watermark") == [0]


def test_loading_again_changes_nothing(ask: Any, warehouse: Engine) -> None:
    everything = (
        "select jsonb_agg(to_jsonb(o) - 'batch_id' - 'api_batch_id' order by order_id) from core.amazon_order as o"
    )
    ask("orders", "--load")
    first = column(warehouse, everything)
    assert ask("orders", "--load").exit_code == 0
    assert column(warehouse, everything) == first
    assert first[0]


def test_one_order_is_loaded_by_its_id_and_counted_for_people(ask: Any, world: World, warehouse: Engine) -> None:
    known = world.orders["shop", "eu"][0]["orderId"]
    answer = ask("order", known, "--load")
    assert column(warehouse, "select order_id from core.amazon_order") == [known]
    figures = dict(line.split("  ", 1) for line in answer.stdout.splitlines())
    assert figures["rows"].strip() == "1"
    assert figures["published"].strip() == "1 orders"


def test_calls_by_hand_count_in_the_shared_rates_even_when_nothing_is_loaded(ask: Any, warehouse: Engine) -> None:
    ask("orders")
    assert column(warehouse, "select operation from ops.rate_bucket") == ["searchOrders"]
    (run,) = column(warehouse, "select run from ops.api_call")
    assert run.startswith("by hand 2")
    assert column(warehouse, "select count(*) from ops.batch") == [0]


def test_an_older_schema_is_no_hindrance_to_looking_but_to_loading(
    ask: Any, postgres: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMAZON_SUPPORT_WAREHOUSE", postgres.ensure_database("never_migrated"))
    looked = ask("orders", "--json")
    assert records(looked)
    assert "The rates are not shared with other jobs." in looked.stderr
    loading = ask("orders", "--load")
    assert loading.exit_code == 1
    assert "Error: The warehouse's schema is at revision None" in loading.stderr
    assert "db upgrade" in loading.stderr


# ---------- waiting


def test_a_wait_is_told_and_waited_for_in_place() -> None:
    told: list[str] = []
    slept: list[float] = []
    waits = iter([20, 40])

    def step() -> str:
        for seconds in waits:
            raise ComeBackAt(datetime.now(UTC) + timedelta(seconds=seconds), "Amazon makes the report")
        return "made"

    assert pull.patiently(step, told.append, slept.append) == "made"
    assert told == [f"Amazon makes the report; asking again in {seconds} s" for seconds in (20, 40)]
    assert [round(seconds) for seconds in slept] == [20, 40]


def test_ctrl_c_while_waiting_ends_it_and_leaves_nothing_behind(world: World, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with serve(create_app(world, rate_factor=0.1)) as slow:
        where = ["--endpoint", slow, "--token-url", slow + TOKEN_PATH]
        command = [sys.executable, "-m", "amazon_support", "pull", "health", *WHO, *where]
        process = subprocess.Popen(
            command,
            cwd=home(),
            env={**os.environ, "TMPDIR": str(scratch)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell that started these tests in the background has made them, and their children, deaf to it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        assert process.stderr
        for line in process.stderr:
            if "asking again in" in line:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert err.splitlines()[-1] == "Aborted!"
    assert "Traceback" not in err
    assert list(scratch.iterdir()) == []
