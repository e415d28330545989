"""The hourly job on two schedulers and two Celery workers; and again while parts of it are killed."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from cluster import WORKERS, Cluster
from snapshot import differences, snapshot

from amazon_support import demo
from amazon_support.warehouse import connect, migrate
from amazon_support.warehouse.embedded import EmbeddedServer
from sandbox.__main__ import describe
from sandbox.amazon import create_app
from sandbox.http import serve
from sandbox.mail_servers import SmtpSink, imap_server, smtp_sink
from sandbox.world import demo_sellers, generate

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
RUN = 420  # seconds for a run at most, on a busy machine


@dataclass
class Installation:
    """The cluster, its scheduled run of the newest hour, and the mails that went out."""

    cluster: Cluster
    run: str
    sink: SmtpSink
    undisturbed: dict[str, str]
    mails: Counter[str]


def found(url: str) -> dict[str, str]:
    with connect(url) as connection:
        return snapshot(connection)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """After an hour in which nothing happened to anything."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    sellers = demo_sellers()
    world = generate(seed=7, until=until, days=5, sellers=sellers, orders_per_day=2)
    accounts = sorted({seller.account for seller in sellers})
    mailboxes = {name: [mail for mail in world.mails if mail.account == name] for name in accounts}
    try:
        with (
            serve(create_app(world, rate_factor=100)) as amazon,
            imap_server(mailboxes) as imap,
            smtp_sink(cluster.folder / "mail") as sink,
        ):
            cluster.prepare(print)
            demo.configure(cluster, describe(world, amazon, imap, sink))
            cluster.start_all()
            cluster.use_warehouse(cluster.warehouse_url)
            run = cluster.first_scheduled_run()
            cluster.until(lambda: cluster.state(run) in ("success", "failed"), "The hourly run", RUN)
            assert cluster.state(run) == "success"
            mails = Counter(str(mail["Message-ID"]) for mail in sink.mails())
            yield Installation(cluster, run, sink, found(cluster.warehouse_url), mails)
    finally:
        cluster.stop_all()


def test_both_workers_did_their_part(installed: Installation) -> None:
    done = {worker: log_of(installed, worker).count("succeeded in") for worker in WORKERS}
    assert all(done.values()), done


def test_everybody_got_one_of_each_mail(installed: Installation) -> None:
    assert set(installed.mails.values()) == {1}
    assert len(installed.mails) >= len(demo.AGENTS)


def log_of(installed: Installation, part: str) -> str:
    return (installed.cluster.logs / f"{part}.log").read_text(errors="replace")


def test_killed_parts_change_nothing_and_nobody_is_told_twice(installed: Installation) -> None:
    """A worker, a scheduler, the broker and PostgreSQL die, each in the middle of another step."""
    cluster = installed.cluster
    blows: dict[str, Callable[[], None]] = {
        "orders.pull": lambda: restart(cluster, "worker-1"),
        "mail.pull": lambda: restart(cluster, "scheduler"),
        "mail.publish": cluster.restart_postgres,
        "fold_tickets": lambda: restart(cluster, "worker-2"),
        "write_worklists": lambda: restart(cluster, "broker"),
    }
    url = EmbeddedServer(cluster.folder, keep_running=True).ensure_database("again")
    migrate.upgrade(url)
    cluster.use_warehouse(url)
    before = len(installed.sink.mails())
    cluster.run_anew(installed.run)

    def struck() -> bool:
        for task in list(cluster.running(installed.run)):
            if blow := blows.pop(task.task, None):
                blow()
        return not blows

    cluster.until(lambda: struck() or cluster.state(installed.run) == "failed", "Every blow", RUN)
    cluster.until(lambda: cluster.state(installed.run) in ("success", "failed"), "The hourly run", RUN)
    assert cluster.state(installed.run) == "success"
    assert differences(installed.undisturbed, found(url)) == []
    assert Counter(str(mail["Message-ID"]) for mail in installed.sink.mails()[before:]) == installed.mails


def restart(cluster: Cluster, part: str) -> None:
    cluster.kill(part)
    cluster.start_part(part)
