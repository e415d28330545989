"""The hourly job on two schedulers and two Celery workers, while parts of it die, are full, or refuse.

One cluster for all of it; one hour of an invented history again and again, each time on an empty warehouse. Afterwards
warehouse, files and mails must be those of the hour in which nothing happened. `make test-topology`; docs/faults.md.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cluster import FINISHED, RUN, SCHEDULERS, WORKERS
from installation import HOUR, Installation, installation, on_server
from sqlalchemy import make_url

from amazon_support import demo

pytestmark = [pytest.mark.slow, pytest.mark.topology, pytest.mark.timeout(3600)]

# Groups of the hourly DAG; their list_sources and the summary commit nothing, all others are met at a commit, too.
GROUPS = ("orders", "mail", "missing_orders", "desks")
READS_ONLY = {"summary", *(f"{group}.list_sources" for group in GROUPS)}
DONE_UNKNOWN = ("orders.pull", "mail.pull", "desks.pull", "mail.publish", "fold_tickets", "write_worklists", "deliver")
MINUTE = 60


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("cluster")) as ready:
        yield ready
    plugin: Any = pytestconfig.pluginmanager.get_plugin
    with plugin("capturemanager").global_and_fixture_disabled():
        plugin("terminalreporter").write_line("\n\nThe hour took, in seconds:")
        for what, seconds in ready.took.items():
            plugin("terminalreporter").write_line(f"{seconds:6.0f}  {what}")


def is_as_undisturbed(installed: Installation) -> None:
    assert installed.changes() == []
    assert installed.sent_again() == []


# ---------- nothing happens


def test_two_schedulers_and_two_workers_share_the_hour_and_do_everything_once(installed: Installation) -> None:
    tries = installed.cluster.tries(installed.run)
    assert set(tries.values()) == {1}, tries
    assert all("succeeded in" in installed.cluster.log_of(worker) for worker in WORKERS)


def test_everybody_got_one_of_each_mail(installed: Installation) -> None:
    assert installed.undisturbed
    assert set(installed.undisturbed.mails.values()) == {1}
    assert len(installed.undisturbed.mails) >= len(demo.AGENTS)


# ---------- parts die


def kill_the_worker_at_each_stop(installed: Installation) -> set[str]:
    """Until the run has ended. Returns the stops at which a worker was killed."""
    cluster, struck = installed.cluster, set()

    def strike() -> bool:
        for stop in cluster.reached():
            if worker := cluster.worker_of(int(stop.read_text())):
                cluster.restart(worker)
            struck.add(stop.name.removesuffix(".reached"))
            stop.unlink()
        return cluster.state(installed.run) in FINISHED

    cluster.until(strike, "The end of a run whose workers are killed", 4 * RUN)
    return struck


def test_a_worker_killed_in_the_work_of_each_task(installed: Installation) -> None:
    """Before the first commit of each task, and of those that tell or keep something new again when all their work is
    committed and Airflow does not know.

    Of `deliver` the first is when the server has taken a message, and we have not noted it: the one moment for which
    SMTP has no answer. That message, and no other, comes a second time, with the same Message-ID.
    """
    tasks = installed.cluster.tries(installed.run).keys()
    stops = {f"{task}.{'begin' if task in READS_ONLY else 'commit'}" for task in tasks}
    stops |= {f"{task}.end" for task in DONE_UNKNOWN}
    with installed.cluster.cold_workers(), installed.hour_again():
        installed.cluster.stop_at(stops)
        assert kill_the_worker_at_each_stop(installed) == stops
    assert installed.changes() == []
    assert len(installed.sent_again()) == 1


def test_postgres_crashes_in_mid_load_both_schedulers_are_killed_and_the_broker_dies(installed: Installation) -> None:
    """Airflow's database and the warehouse are gone for some seconds; then one scheduler comes back, the other only
    after the run; then nothing can be queued for a while.
    """
    cluster = installed.cluster
    with installed.hour_again():
        with cluster.stopped("orders.pull.commit"):
            cluster.kill_postgres()
            time.sleep(3)
            cluster.start_postgres()
        with cluster.stopped("mail.publish.commit"):
            for scheduler in SCHEDULERS:
                cluster.kill(scheduler)
            cluster.start_part(SCHEDULERS[1])
        with cluster.stopped("fold_tickets.commit"):
            cluster.kill("broker")
        time.sleep(8)
        cluster.start_part("broker")
    cluster.start_part(SCHEDULERS[0])
    is_as_undisturbed(installed)


# ---------- others fail


def test_amazon_fails_three_calls_in_ten_and_the_mail_server_drops_connections_in_mid_mail(
    installed: Installation,
) -> None:
    """429, 500, connections that end in mid-answer, an answer that does not come."""
    amazon = installed.amazon
    calls = amazon.calls.total()
    with installed.hour_again():
        amazon.next("*", share=0.11, seed=1, status=429)
        amazon.next("*", share=0.11, seed=2, status=500)
        amazon.next("*", share=0.11, seed=3, reset=True)
        amazon.next("searchOrders", delay=65)  # longer than we wait for an answer
        installed.mailbox_line.cuts += [100_000, 50_000, 200_000]
    amazon.heal()
    assert amazon.calls.total() - calls > 10
    assert installed.mailbox_line.cuts == []
    is_as_undisturbed(installed)


@contextmanager
def small_disk(installed: Installation, megabytes: int) -> Iterator[Path]:
    """A disk for the warehouse, as tablespace `small`."""
    folder = installed.cluster.folder / "small_disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk can be mounted by root only")
    server = installed.url_of("postgres")
    data = folder / "data"
    try:
        data.mkdir()
        owner = (installed.cluster.folder / "pg").stat()
        os.chown(data, owner.st_uid, owner.st_gid)
        on_server(server, f"create tablespace small location '{data}'")
        yield folder
    finally:
        on_server(server, f"drop database {make_url(installed.url).database} with (force)", "drop tablespace small")
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_the_disk_fills_in_mid_load_and_for_an_hour_nobody_takes_our_mail(installed: Installation) -> None:
    """A person makes room. The hour is done and says that it could not be told; the next delivery tells it, once."""
    cluster = installed.cluster
    with small_disk(installed, megabytes=96) as disk:
        installed.stop_smtp()
        installed.begin(tablespace="small")
        with cluster.stopped("orders.pull.begin"):
            first = cluster.tries(installed.run)["orders.pull"]
            room = shutil.disk_usage(disk).free - 64 * 1024
            (disk / "ballast").write_bytes(bytes(room))
        cluster.until(lambda: cluster.tries(installed.run)["orders.pull"] > first, "A second try", RUN)
        (disk / "ballast").unlink()
        assert cluster.finish(installed.run) == "failed"
        assert cluster.failures(installed.run) == ["deliver failed", "summary failed"]
        assert installed.outcome().mails.total() == 0
        installed.start_smtp()
        cluster.run_tasks_anew(installed.run, ["deliver", "summary"])
        assert cluster.finish(installed.run) == "success"
        # Besides, everybody is told that a delivery failed: nobody is lead here.
        assert {change.partition(" ")[0] for change in installed.changes()} == {"ops.alert:", "pii.outbox:", "mail"}
        assert installed.lost("ops.alert") == installed.lost("pii.outbox") == []
        assert installed.undisturbed
        more = installed.outcome().mails - installed.undisturbed.mails
        assert more.total() == len(more) == len(demo.AGENTS)
        assert installed.sent_again() == []
    assert "No space left on device" in cluster.task_logs("orders.pull")


# ---------- workers come back, runs overlap, clocks step


def test_a_worker_that_was_only_frozen_finds_its_task_given_to_another(installed: Installation) -> None:
    """As a virtual machine that is moved: when it wakes in the middle of a transaction, another works on the same."""
    cluster = installed.cluster
    with installed.hour_again():
        for task in ("mail.publish", "write_worklists"):
            with cluster.stopped(f"{task}.commit") as (pid,):
                worker = cluster.worker_of(pid)
                assert worker
                cluster.freeze(worker)
                with cluster.stopped(f"{task}.begin"):
                    pass
                cluster.thaw(worker)
    is_as_undisturbed(installed)


def stops_of_each_run(task: str) -> list[str]:
    return [f"{task}.begin.{run_type}" for run_type in ("scheduled", "manual", "backfill")]


def test_the_hour_runs_twice_at_once_beside_a_backfill_of_the_hour_before(installed: Installation) -> None:
    """Airflow lets one run at a time, but for backfills; here the site allows more. All three begin the same tasks
    together, until nobody learns anything new; lists are written by the hour before the backfill writes its own, as
    each names what was not on the one before.
    """
    cluster, hour = installed.cluster, installed.hour
    window = {"window_start": (hour - HOUR).isoformat(), "window_end": hour.isoformat()}
    with installed.hour_again():
        again, backfill = cluster.start_run(window), cluster.start_backfill(hour - 2 * HOUR)
        for task in ("orders.publish", "mail.publish", "missing_orders.publish", "fold_tickets"):
            with cluster.stopped(*stops_of_each_run(task)):
                pass
        with cluster.stopped(*stops_of_each_run("write_worklists")):
            cluster.go_on("write_worklists.begin.scheduled", "write_worklists.begin.manual")
            for run in (installed.run, again):
                assert cluster.finish(run) == "success", cluster.failures(run)
        assert cluster.finish(backfill) == "success", cluster.failures(backfill)
    overlapped = installed.outcome()
    assert cluster.finish(cluster.start_backfill(hour - 2 * HOUR)) == "success"
    assert installed.outcome() == overlapped  # alone it finds the same
    installed.forget_lists(hour - HOUR)
    is_as_undisturbed(installed)


def test_the_clock_steps_forwards_and_back(installed: Installation) -> None:
    """Twenty minutes, for all but PostgreSQL: what Airflow signed for a task is out of date, then from the future."""
    cluster = installed.cluster
    if not cluster.has_clock:
        pytest.skip("no C compiler (cc): the clock of the cluster's parts cannot be stepped")
    try:
        with installed.hour_again():
            with cluster.stopped("orders.pull.commit"):
                cluster.step_clock(20 * MINUTE)
            with cluster.stopped("orders.publish.end"):
                cluster.step_clock(0)
    finally:
        cluster.step_clock(0)
    is_as_undisturbed(installed)
