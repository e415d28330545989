"""What is due is removed, nothing else, once, whatever dies meanwhile; answers stay; and nothing comes back."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import marked_buyer as marked
import pytest
from landing import BUYER_KEY, NOON, land_some_orders, order, rows
from marked_buyer import DAY, MARKS, ORDER, PROMISED, SETTINGS, TICKET, traces
from sqlalchemy import Engine, text
from visitors import visiting

from amazon_support import privacy, tickets
from amazon_support.mail.archive import Archive, ArchiveError
from amazon_support.privacy import removal
from amazon_support.settings.retention import Retention
from amazon_support.sources import mail_reread
from amazon_support.tickets import actions
from amazon_support.warehouse import engine, run_step
from amazon_support.warehouse.embedded import EmbeddedServer
from amazon_support.warehouse.land import publish_decided
from amazon_support.window import Window

RETENTION = Retention()
NOW = datetime(2026, 12, 31, tzinfo=UTC)
SOLVED = NOON + DAY
LATER = PROMISED + timedelta(days=30)  # when all of the buyer is due, once the ticket is solved


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive", "secret of the tests")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


Restore = Callable[[str], Engine]


@pytest.fixture(scope="module")
def saved(postgres: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with two states, made once, as archive and files; their databases have the same names.

    held: a warehouse with everything there can be of the marked buyer, landed long ago. removed: after its removal.
    """
    folder = tmp_path_factory.mktemp("states")
    archive, data = Archive(folder / "held" / "archive", "secret of the tests"), folder / "held" / "data"
    bound = engine(postgres.ensure_database("held", template="migrated"))
    marked.everything_about_the_buyer(bound, archive, data)
    with bound.begin() as connection:
        connection.execute(text("update ops.batch set landed_at = :at"), {"at": NOON})
        connection.execute(text("update ops.quarantine set set_aside_at = :at"), {"at": NOON})
        connection.execute(text("update pii.outbox set written_at = :at"), {"at": NOON})
    bound.dispose()
    shutil.copytree(folder / "held", folder / "removed")
    bound = engine(postgres.ensure_database("removed", template="held"))
    archive, data = Archive(folder / "removed" / "archive", "secret of the tests"), folder / "removed" / "data"
    act(bound, "solve")
    remove(bound, archive, data, as_of=NOW - 10 * DAY)
    (data / "reports" / "left.tsv").unlink(missing_ok=True)
    assert left(bound, archive, data) == {}
    bound.dispose()
    yield folder
    for name in ("held", "removed"):
        _on_server(postgres, f"drop database {name} with (force)")


@pytest.fixture
def restore(saved: Path, postgres: EmbeddedServer, tmp_path: Path) -> Iterator[Restore]:
    """Gives a copy of one of the states: a warehouse, and its files where `archive` and `data` are."""
    bounds = []

    def restored(name: str) -> Engine:
        bounds.append(engine(postgres.ensure_database(f"copy_of_{name}", template=name)))
        shutil.copytree(saved / name, tmp_path, dirs_exist_ok=True)
        return bounds[-1]

    yield restored
    for bound in bounds:
        bound.dispose()
        _on_server(postgres, f"drop database {bound.url.database} with (force)")


def _on_server(server: EmbeddedServer, statement: str) -> None:
    bound = engine(server.url())
    with bound.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(statement)
    bound.dispose()


@pytest.fixture
def buyer(restore: Restore) -> Engine:
    return restore("held")


@pytest.fixture
def removed(restore: Restore) -> Engine:
    return restore("removed")


def act(warehouse: Engine, kind: str, at: datetime = SOLVED) -> None:
    with warehouse.begin() as connection:
        asked = {"account": "main", "ticket_id": TICKET, "as_of": at}
        ticket = dict(run_step(connection, "tickets/show_ticket.sql", asked).mappings().one())
        actions.act(connection, SETTINGS, ticket, actions.Action(kind, f"{kind} {at}", "ana"), at=at)


def remove(
    warehouse: Engine, archive: Archive, data: Path, as_of: datetime = LATER, retention: Retention = RETENTION
) -> privacy.Removed:
    return privacy.remove(warehouse, retention, archive, data, as_of=as_of, now=NOW, buyer_key=BUYER_KEY)


def left(warehouse: Engine, archive: Archive, data: Path) -> dict[str, list[str]]:
    return traces(warehouse, archive, data, archive.folder)


ANSWERS = ("mart.ticket", "mart.ticket_status", "mart.sla_clock", "mart.ticket_timeline", "mart.feedback", "core.mail")


def answers(warehouse: Engine, *, folded_anew: bool) -> dict[str, list[Any]]:
    with warehouse.begin() as connection:
        if folded_anew:
            run_step(connection, "tickets/touch_all.sql")
            tickets.fold(connection, SETTINGS.policy)
        return {
            answer: sorted(rows(connection, f"select (to_jsonb(t) - 'batch_id')::text from {answer} as t"))
            for answer in ANSWERS
        }


# ---------- what goes


def test_before_it_is_due_the_buyer_is_everywhere(buyer: Engine, archive: Archive, data: Path) -> None:
    """So that the search below is known to find what there is."""
    found = left(buyer, archive, data)
    assert {
        "pii.order_contact.recipient", "pii.order_received.payload", "pii.mail.body", "pii.mail_received.meaning",
        "pii.feedback.comments", "pii.feedback_received.comments", "pii.quarantined_row.content", "pii.outbox.plain",
        "pii.outbox.html", "pii.ticket_event_text.body", "pii.desk_action.received", "archive", "reports/left.tsv",
    } <= found.keys()  # fmt: skip
    assert {mark for marks in found.values() for mark in marks} == {*MARKS}


def test_afterwards_no_table_and_no_file_holds_name_alias_address_or_words(
    buyer: Engine, archive: Archive, data: Path
) -> None:
    act(buyer, "solve")
    (data / "reports" / "left.tsv").touch()
    done = remove(buyer, archive, data, as_of=NOW)
    assert left(buyer, archive, data) == {}
    assert (done.mails, done.files) == (1, 1)


def test_what_is_left_tells_the_same_when_it_is_folded_anew(buyer: Engine, archive: Archive, data: Path) -> None:
    act(buyer, "solve")
    before = answers(buyer, folded_anew=True)
    remove(buyer, archive, data)
    assert answers(buyer, folded_anew=False) == before
    assert answers(buyer, folded_anew=True) == before


def test_the_record_says_what_when_and_by_which_rule(buyer: Engine, archive: Archive, data: Path) -> None:
    act(buyer, "solve")
    done = remove(buyer, archive, data)
    with buyer.connect() as connection:
        of_order = privacy.record_of(connection, ORDER)
        all_of_it = privacy.record_of(connection)
    assert [(each["rule"], each["as_of"], each["kind"], each["subjects"]) for each in of_order] == [
        ("retention", LATER, "order", 1)
    ]
    kinds = {each["kind"]: each for each in all_of_it}
    assert kinds["mail"]["subjects"] == done.mails == 1
    assert kinds["mail"]["files_waiting"] == 0
    assert kinds["ticket"]["subjects"] == 1
    assert all(each["finished_at"] for each in all_of_it)


# ---------- when


def due(warehouse: Engine, as_of: datetime) -> tuple[int, int, int]:
    found = privacy.due(warehouse, RETENTION, as_of=as_of)
    return found.orders, found.tickets, found.mails


def test_it_goes_thirty_days_after_delivery_at_the_instant(buyer: Engine) -> None:
    act(buyer, "solve")
    assert due(buyer, LATER - timedelta(seconds=1)) == (0, 0, 0)
    assert due(buyer, LATER) == (2, 1, 1)  # the third order was promised for no day


def test_while_the_ticket_is_in_work_its_last_message_counts(buyer: Engine, archive: Archive) -> None:
    asked = LATER - timedelta(days=1)
    marked.read(buyer, archive, marked.marked_mail("Quittenbrot", at=asked, name="2"))
    marked.publish(buyer)
    assert due(buyer, asked + timedelta(days=30) - timedelta(seconds=1)) == (2, 0, 0)  # other orders are not held
    assert due(buyer, asked + timedelta(days=30)) == (3, 1, 2)


def test_an_instant_of_the_past_removes_nothing_that_is_needed_today(buyer: Engine, archive: Archive) -> None:
    """As of then the ticket was solved; since, the buyer has written again."""
    act(buyer, "solve")
    marked.read(buyer, archive, marked.marked_mail("Quittenbrot", at=NOW - DAY, name="2"))
    marked.publish(buyer)
    assert due(buyer, LATER) == (1, 0, 0)


def test_mail_that_is_not_folded_yet_is_not_taken_for_solved(buyer: Engine, archive: Archive) -> None:
    act(buyer, "solve")
    with buyer.begin() as connection:
        marked_key = {"account": "main", "ticket_key": TICKET}
        connection.execute(text("insert into ops.ticket_touched values (:account, :ticket_key)"), marked_key)
        connection.execute(
            text("update core.ticket_event set occurred_at = :at where kind = 'notice'"), {"at": LATER - DAY}
        )
    assert due(buyer, LATER) == (1, 0, 0)


def test_nothing_is_removed_as_of_a_time_that_lies_ahead(warehouse: Engine, archive: Archive, data: Path) -> None:
    with pytest.raises(privacy.PrivacyError, match="that lies ahead"):
        remove(warehouse, archive, data, as_of=NOW + DAY)


@pytest.mark.parametrize(
    ("told", "delivered"),
    [
        ({"deliver_by_at": NOON}, NOON),
        ({"deliver_by_at": NOON, "shipped_at": NOON + DAY}, NOON + DAY),
        ({"shipped_at": NOON}, NOON + 14 * DAY),
        ({"ship_by_at": NOON}, NOON + 14 * DAY),
        ({"ordered_at": NOON}, NOON + 28 * DAY),
        ({"status": "CANCELLED", "last_updated_at": NOON, "deliver_by_at": NOON + 9 * DAY}, NOON),
        ({}, None),
    ],
)
def test_when_an_order_counts_as_delivered(
    module_warehouse: Engine, told: dict[str, Any], delivered: datetime | None
) -> None:
    names = ("status", "last_updated_at", "ordered_at", "ship_by_at", "shipped_at", "deliver_by_at")
    given = dict.fromkeys(names) | told | {"within": timedelta(days=14)}
    casts = ", ".join(f"cast(:{name} as {'text' if name == 'status' else 'timestamptz'})" for name in names)
    with module_warehouse.connect() as connection:
        found = connection.execute(text(f"select core.delivered_at({casts}, :within, :within)"), given).scalar_one()
    assert found == delivered


# ---------- whatever dies


def test_killed_between_any_two_batches_it_is_finished_by_the_next_run(
    buyer: Engine, archive: Archive, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    act(buyer, "solve")
    one_by_one = RETENTION.model_copy(update={"removed_together": 1})
    whole_run = removal.run_step
    for kill_at in range(100):
        calls = iter(range(1000))

        def until_killed(*arguments: Any, calls: Any = calls, kill_at: int = kill_at) -> Any:
            if arguments[1].startswith("privacy/") and next(calls) == kill_at:
                raise KeyboardInterrupt
            return whole_run(*arguments)

        monkeypatch.setattr(removal, "run_step", until_killed)
        try:
            remove(buyer, archive, data, as_of=NOW, retention=one_by_one)
            break
        except KeyboardInterrupt:
            continue
    assert kill_at > 8  # it was killed before each of its steps, once
    assert left(buyer, archive, data) == {}
    with buyer.connect() as connection:
        assert rows(connection, "select count(*) from ops.removal where kind = 'mail' and key <> ''") == [(1,)]


def test_files_that_cannot_be_removed_now_go_with_the_next_run(
    buyer: Engine, archive: Archive, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    act(buyer, "solve")

    def refused(name: str) -> bool:
        raise ArchiveError("the object store is away")

    with monkeypatch.context() as away, pytest.raises(ArchiveError):
        away.setattr(archive, "remove", refused)
        remove(buyer, archive, data)
    assert [where for where in left(buyer, archive, data) if where == "archive"] == ["archive"]
    assert remove(buyer, archive, data).files == 1
    assert "archive" not in left(buyer, archive, data)


def test_a_rotation_of_the_secret_and_a_removal_do_not_disturb_each_other(
    buyer: Engine, archive: Archive, data: Path
) -> None:
    act(buyer, "solve")
    others = [archive.put(b"%d" % number) for number in range(9)]
    rotated = Archive(archive.folder, "the new secret", ["secret of the tests"])
    result = rotated.rotate(lambda seen, _: None if seen != 5 else remove(buyer, archive, data) and None)
    alone = Archive(archive.folder, "the new secret")
    assert "archive" not in left(buyer, alone, data)
    assert [alone.get(name) for name in others] == [b"%d" % number for number in range(9)]
    assert result.unopened == ()


def test_a_mail_that_was_archived_and_never_landed_goes_too(warehouse: Engine, archive: Archive, data: Path) -> None:
    name = archive.put(marked.marked_mail().raw)
    # A sixteenth of the archive each night: this is the night of the file's.
    tonight = datetime.now(UTC) + (int(name[0], 16) - datetime.now(UTC).toordinal()) % 16 * DAY
    for after, files in ((0 * DAY, 0), (16 * DAY, 0), (48 * DAY, 1)):
        night = tonight + after
        spans = {"as_of": night, "now": night, "buyer_key": BUYER_KEY}
        assert privacy.remove(warehouse, RETENTION, archive, data, **spans).files == files
    assert list(archive.names()) == []


# ---------- what people see of it


def test_the_page_of_the_ticket_says_what_was_removed_and_shows_nothing_of_it(
    removed: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "access.yaml").write_text("access: {users: {lea: {role: lead}}}")
    monkeypatch.setenv("AMAZON_SUPPORT_WAREHOUSE", removed.url.render_as_string(hide_password=False))
    for browser in visiting(tmp_path, monkeypatch):
        page = browser("lea", at=NOW).get(f"/tickets/main/{TICKET}")
        found = browser("lea", at=NOW).get("/search", params={"q": marked.ALIAS})
    assert page.status_code == found.status_code == 200
    assert page.text.count("Words removed") >= 2  # the mail's and the notes'
    assert "Name and address removed" in page.text
    assert [mark for mark in MARKS if mark in page.text.lower()] == []
    assert TICKET not in found.text


# ---------- nothing comes back


def test_an_overlapping_pull_brings_no_contact_back(removed: Engine, archive: Archive, data: Path) -> None:
    with removed.begin() as connection:
        newer = marked.iso(NOON + 2 * DAY)
        land_some_orders(connection, marked.marked_order(lastUpdatedTime=newer))
        assert rows(connection, "select count(*) from pii.order_received") == [(0,)]
    marked.publish(removed)
    assert left(removed, archive, data) == {}
    with removed.connect() as connection:
        assert rows(connection, "select count(*) from raw.order_received where order_id = :id", id=ORDER) == [(2,)]


def test_a_backfill_brings_no_buyer_who_would_be_due_already(removed: Engine, archive: Archive, data: Path) -> None:
    young = {"fulfillment": {"deliverByWindow": {"latestDateTime": marked.iso(NOW - 20 * DAY)}}}
    with removed.begin() as connection:
        land_some_orders(connection, marked.marked_order("302-0000000-0000001"), order("302-0000000-0000002", **young))
        assert rows(connection, "select order_id from pii.order_received") == [("302-0000000-0000002",)]
    marked.publish(removed)
    assert left(removed, archive, data) == {}


def test_mail_that_is_still_in_the_mailbox_does_not_come_back(removed: Engine, archive: Archive, data: Path) -> None:
    """After a change of UIDVALIDITY the mailbox is read from its beginning; a copy went to another address."""
    copy = marked.marked_mail(to="other@shop.example")
    assert marked.read(removed, archive, marked.marked_mail(), copy) == 0
    marked.publish(removed)
    assert left(removed, archive, data) == {}
    assert list(archive.names()) == []


def test_reading_again_leaves_removed_mail_as_it_was_understood(removed: Engine, archive: Archive, data: Path) -> None:
    before = answers(removed, folded_anew=False)
    window = Window(NOON - 30 * DAY, NOW, live=False)
    read = mail_reread.reread(removed, SETTINGS.account("main"), archive, window, buyer_key=BUYER_KEY)
    assert (read.mails, read.lost) == (0, 0)
    with removed.begin() as connection:  # somebody decided of another mail: all mail from then on is linked anew
        publish_decided(connection, SETTINGS, "main", 1)
    assert answers(removed, folded_anew=True) == before


def test_the_same_feedback_does_not_come_back_but_edited_words_do(removed: Engine) -> None:
    with removed.begin() as connection:
        marked.land_feedback(connection, seen_at=NOON + 2 * DAY)
        assert rows(connection, "select count(*) from pii.feedback_received") == [(0,)]
    marked.publish(removed)
    with removed.begin() as connection:
        marked.land_feedback(connection, "Anders", seen_at=NOON + 3 * DAY)
    marked.publish(removed)
    with removed.connect() as connection:
        assert rows(connection, "select comments from pii.feedback") == [("Anders",)]


def test_a_buyer_who_comes_back_is_known_by_the_keyed_hash(removed: Engine, archive: Archive) -> None:
    with removed.connect() as connection:
        refs = rows(connection, "select distinct buyer_ref from pii.order_contact where buyer_name is null")
        asked = {"account": "main", "order_id": ORDER, "buyer_ref": None, "as_of": NOON + DAY}
        others = run_step(connection, "web/ticket_orders_of_buyer.sql", asked).mappings().all()
    assert len(refs) == 2  # the marked buyer's, and that of the third order
    assert [each["order_id"] for each in others] == [marked.OTHER_ORDER]
    # A new message is a new one: it is there until it is due itself.
    assert marked.read(removed, archive, marked.marked_mail("Quittenbrot", at=NOW, name="9")) == 1
    marked.publish(removed)
    with removed.connect() as connection:
        assert rows(connection, "select body from pii.mail where body like '%Quittenbrot%'") != []
        assert rows(
            connection, "select count(distinct ticket_key) from mart.ticket where order_id = :id", id=ORDER
        ) == [(1,)]
