"""The figures reach whoever Airflow is set to tell them: a real StatsD listener, a stand-in for a collector."""

import atexit
import re
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics.stats_utils import get_stats_factory
from landing import land_some_orders, order
from sqlalchemy import Engine

from amazon_support.orchestration import metrics, tasks
from amazon_support.outputs import alerts
from amazon_support.settings import home
from amazon_support.sources import positions
from amazon_support.window import Window

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)  # the tasks ask the real clock
HOUR = timedelta(hours=1)


class StatsD:
    """Listens as StatsD does."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.2)

    def heard(self) -> dict[str, str]:
        """What came, by name; each as value|type."""
        found = {}
        try:
            while True:
                for line in self.socket.recv(65_536).decode().splitlines():
                    name, _, value = line.partition(":")
                    found[name] = value
        except TimeoutError:
            return found


@pytest.fixture
def statsd(monkeypatch: pytest.MonkeyPatch) -> Iterator[StatsD]:
    listener = StatsD()
    with _metrics(monkeypatch, STATSD_ON="True", STATSD_PORT=str(listener.socket.getsockname()[1])):
        yield listener
    listener.socket.close()


class _metrics:
    """Airflow's settings of metrics, taken up as a task's process takes them up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
        for name, value in settings.items():
            monkeypatch.setenv(f"AIRFLOW__METRICS__{name}", value)

    def __enter__(self) -> None:
        stats.initialize(factory=get_stats_factory(), export_legacy_names=True)

    def __exit__(self, *error: object) -> None:
        from airflow.sdk._shared.observability.metrics.base_stats_logger import NoStatsLogger

        stats.initialize(factory=NoStatsLogger, export_legacy_names=True)


def in_a_run(monkeypatch: pytest.MonkeyPatch, run_type: str = "scheduled") -> None:
    run = SimpleNamespace(run_type=run_type, data_interval_start=NOW - HOUR, data_interval_end=NOW)
    context = {"dag_run": run, "params": {}, "run_id": "run"}
    monkeypatch.setattr(tasks, "get_current_context", lambda: context)


def some_hours(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        alerts.note_hour(connection, as_of=NOW - HOUR, now=NOW)
        positions.note_pulled(connection, "main", "orders", "eu", Window(NOW - 3 * HOUR, NOW - 2 * HOUR, live=True))
        positions.note_read(connection, "main", "mailbox", "imap_default", read_at=NOW - HOUR / 2)


def test_plain_statsd_hears_the_figures_with_what_they_are_of_in_the_name(
    warehouse: Engine, statsd: StatsD, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_hours(warehouse)
    in_a_run(monkeypatch)
    sent = tasks.measure()["sent"]
    heard = statsd.heard()
    assert len(heard) == sent
    assert heard["airflow.amazon_support.worklists.age_seconds"] == "3600.0|g"
    assert heard["airflow.amazon_support.sources.lag_seconds.main.orders.eu"] == "7200.0|g"
    assert heard["airflow.amazon_support.sources.lag_seconds.main.mailbox.imap_default"] == "1800.0|g"
    assert heard["airflow.amazon_support.tickets.open"] == "0|g"


def test_with_tags_the_name_stays_the_same(warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = StatsD()
    some_hours(warehouse)
    in_a_run(monkeypatch)
    port = str(listener.socket.getsockname()[1])
    with _metrics(monkeypatch, STATSD_ON="True", STATSD_PORT=port, STATSD_INFLUXDB_ENABLED="True"):
        tasks.measure()
    name = "airflow.amazon_support.sources.lag_seconds,account=main,source=orders,scope=eu"
    assert listener.heard()[name] == "7200.0|g"
    listener.socket.close()


def test_rows_are_counted_when_they_are_checked(
    warehouse: Engine, statsd: StatsD, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warehouse.begin() as connection:
        land_some_orders(connection, order())
    in_a_run(monkeypatch)
    tasks.check(["orders"])
    assert statsd.heard() == {"airflow.amazon_support.rows.main.orders": "1|c"}
    tasks.check(["orders"])
    assert statsd.heard() == {}, "each batch once"


@pytest.mark.parametrize("run_type", ["manual", "backfill"])
def test_figures_of_the_past_are_not_sent_as_those_of_now(
    warehouse: Engine, statsd: StatsD, monkeypatch: pytest.MonkeyPatch, run_type: str
) -> None:
    in_a_run(monkeypatch, run_type)
    assert tasks.measure() == {"sent": 0}
    assert statsd.heard() == {}


def test_an_opentelemetry_collector_hears_them_with_attributes(
    warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk._shared.observability.metrics.otel_logger import flush_otel_metrics
    from opentelemetry import metrics as otel
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    requests: list[ExportMetricsServiceRequest] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append(ExportMetricsServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", f"http://127.0.0.1:{server.server_port}/v1/metrics")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    some_hours(warehouse)
    in_a_run(monkeypatch)
    with _metrics(monkeypatch, OTEL_ON="True"):
        tasks.measure()
        metrics.count("api_calls", 3, account="main", region="eu", operation="searchOrders")
        otel.get_meter_provider().shutdown()  # type: ignore[attr-defined]
        atexit.unregister(flush_otel_metrics)  # there is nothing left to be sent at the end
    server.shutdown()
    server.server_close()
    found = {}
    for request in requests:
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in (*metric.gauge.data_points, *metric.sum.data_points):
                        of = tuple(sorted((each.key, each.value.string_value) for each in point.attributes))
                        found[metric.name, of] = point.as_double or point.as_int
    lag = ("account", "main"), ("scope", "eu"), ("source", "orders")
    assert found["airflow.amazon_support.sources.lag_seconds", lag] == 7200
    calls = ("account", "main"), ("operation", "searchOrders"), ("region", "eu")
    assert found["airflow.amazon_support.api_calls", calls] == 3


def test_every_metric_is_documented(warehouse: Engine, statsd: StatsD, monkeypatch: pytest.MonkeyPatch) -> None:
    some_hours(warehouse)
    in_a_run(monkeypatch)
    tasks.measure()
    told = (home() / "docs" / "metrics.md").read_text()
    documented = set(re.findall(r"^\| `amazon_support\.([a-z_.]+)`", told, re.MULTILINE))
    sent = {name.removeprefix("airflow.amazon_support.") for name in statsd.heard()}
    gauges = {re.sub(r"(lag_seconds)\..*", r"\1", name) for name in sent}
    counters = set(re.findall(r'metrics\.count\(\s*"([a-z_]+)"', Path(tasks.__file__).read_text()))
    assert documented == gauges | counters
