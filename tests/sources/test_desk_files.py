"""Exports of desks: whatever charset, separator and columns they have, each row says one thing or why it cannot."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from desk_exports import AT, NOTED, SOLVED, as_csv, as_json, desk_settings, drop, read
from hypothesis import given
from hypothesis import strategies as some
from landing import ALIAS, BUYER_KEY, NOON, ORDER, rows
from sqlalchemy import Engine

from amazon_support.settings import Settings
from amazon_support.sources import desk_files
from amazon_support.sources.errors import BadDocument, Unavailable
from amazon_support.warehouse.land.mail import buyer_ref

WHEN = datetime(2026, 3, 10, 11, 30, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def kinds(parsed: desk_files.Parsed) -> list[str | None]:
    return [row.kind for row in parsed.rows]


# ---------- the file


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_charset_and_separator_are_found_out(encoding: str, separator: str) -> None:
    written = as_csv({**NOTED, "Note": 'Größe "M", €; fünf'}, separator=separator)
    [row] = read(written.encode(encoding)).rows
    assert (row.kind, row.text, row.occurred_at, row.order_id) == ("note", 'Größe "M", €; fünf', WHEN, ORDER)


def test_a_note_may_have_lines() -> None:
    parsed = read(as_csv({**NOTED, "Note": "one\r\ntwo"}, SOLVED))
    assert [(row.line_number, row.text) for row in parsed.rows] == [(2, "one\r\ntwo"), (4, "")]


def test_excels_first_line_and_empty_lines_are_passed_over() -> None:
    parsed = read("sep=;\r\n" + as_csv(SOLVED, separator=";") + "\r\n;;;\r\n")
    assert [row.line_number for row in parsed.rows] == [3]
    assert parsed.bad_lines == []


def test_a_bad_line_does_not_stop_the_next() -> None:
    heading, good = as_csv(SOLVED).splitlines()
    parsed = read("\n".join([heading, good + ",more", '"quoted"wrong,a,b,c', good]))
    assert [(line.number, line.reason) for line in parsed.bad_lines] == [
        (2, "5 fields instead of 4"),
        (3, "no CSV: ',' expected after '\"'"),
    ]
    assert [row.line_number for row in parsed.rows] == [4]
    assert parsed.bad_lines[1].content.strip() == '"quoted"wrong,a,b,c'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<html>Sign in</html>", "export.csv has no column for"),
        ("Order ID,Action\n1,2\n", "no column for `at` (Date, "),
        ("Date,Action\n1,2\n", "no column for any of ticket_id, order_id, case_id, buyer_alias"),
        ("[{", "export.csv is no JSON"),
    ],
)
def test_what_is_no_export_is_refused_as_a_whole(text: str, says: str) -> None:
    with pytest.raises(BadDocument) as caught:
        read(text)
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n", as_csv(SOLVED).splitlines()[0]])
def test_an_export_of_a_quiet_day_is_empty(text: str) -> None:
    assert read(text) == desk_files.Parsed([], [])


@pytest.mark.parametrize(
    "text",
    [
        as_json(SOLVED, NOTED),
        json.dumps([SOLVED, NOTED], indent=2),
        json.dumps(SOLVED) + "\n\n" + json.dumps(NOTED) + "\n",
        json.dumps({"next_page": None, "actions": [SOLVED, NOTED]}),
    ],
)
def test_json_is_a_list_or_lines(text: str) -> None:
    assert kinds(read(text)) == ["solve", "note"]


def test_bad_records_of_json_are_told() -> None:
    parsed = read(f"{json.dumps(SOLVED)}\n{{broken\n[1]\n")
    assert [(line.number, line.reason) for line in parsed.bad_lines] == [(2, "no JSON"), (3, "no JSON object")]
    assert kinds(parsed) == ["solve"]


def test_one_object_is_one_row() -> None:
    assert kinds(read(json.dumps({**SOLVED, "tags": ["a"]}))) == ["solve"]


@given(some.binary(max_size=300))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    with suppress(BadDocument):
        read(content)


# ---------- what a row says


@pytest.mark.parametrize(
    ("row", "kind", "says"),
    [
        ({"Action": "Assigned", "Assigned To": "BO@shop.example"}, "assign", {"agent": "Bo"}),
        ({"Action": "assign-agent", "Assigned To": "New Person"}, "assign", {"agent": "New Person"}),
        ({"Action": "On Hold", "Waiting For": "carrier"}, "hold", {"stakeholder": "carrier"}),
        ({"Action": "Solved"}, "solve", {}),
        ({"Action": "No reply needed"}, "no_response_needed", {}),
        ({"Action": "Mark as unread"}, "unread", {}),
        ({"Action": "Note", "Note": "wait"}, "note", {"text": "wait"}),
        ({"Action": "Status changed", "Ticket Status": "H"}, "hold", {"status": "h"}),
        ({"Action": "Status changed", "Ticket Status": "Pending"}, "note", {"status": "pending"}),
        ({"Ticket Status": "S"}, "solve", {"status": "s"}),
        ({"Ticket Status": "Spam"}, "no_response_needed", {}),
        ({"Assigned To": "Ana Lima"}, "assign", {"agent": "Ana Lima"}),
        ({"Note": "wait"}, "note", {"text": "wait"}),
        ({"Action": "Request a Review"}, "review_request", {"order_id": ORDER}),
        ({"Action": "Danced"}, None, {}),
        ({"Action": "Status changed", "Ticket Status": "?"}, None, {}),
        ({}, None, {}),
    ],
    ids=str,
)
def test_what_was_done(row: dict[str, str], kind: str | None, says: dict[str, Any]) -> None:
    [found] = read(as_csv({"Order ID": ORDER, "Agent": "Ana Lima", "Date": AT, **row})).rows
    assert found.kind == kind
    assert {name: getattr(found, name) for name in says} == says
    assert found.actor == "Ana Lima"


def test_what_the_mapping_ignores_is_counted() -> None:
    parsed = read(as_csv(SOLVED, {**SOLVED, "Action": "Viewed"}))
    assert (len(parsed.rows), parsed.ignored) == (1, 1)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"Order ID": ORDER}, {"order_id": ORDER, "ticket_id": None}),
        ({"Ticket Reference": f"DE:order:{ORDER}#2"}, {"ticket_id": f"DE:order:{ORDER}#2"}),
        ({"Ticket Reference": f"main/DE:order:{ORDER}"}, {"ticket_id": f"DE:order:{ORDER}"}),
        ({"Ticket Reference": ORDER}, {"order_id": ORDER, "ticket_id": None}),
        ({"Case ID": "1234567890"}, {"case_id": "1234567890"}),
        ({"Customer Email": f" {ALIAS.upper()}"}, {"buyer_ref": buyer_ref(ALIAS, BUYER_KEY)}),
        ({"Order ID": ORDER, "Marketplace": "Amazon.co.uk"}, {"marketplace": "UK"}),
        ({"Order ID": ORDER, "Marketplace": "A1PA6795UKMFR9"}, {"marketplace": "DE"}),
        ({"Order ID": ORDER, "Marketplace": "de"}, {"marketplace": "DE"}),
        ({"Order ID": ORDER, "Marketplace": "eBay"}, {"marketplace": None}),
    ],
    ids=str,
)
def test_which_ticket_it_is_about(row: dict[str, str], says: dict[str, Any]) -> None:
    [found] = read(as_csv({"Action": "Solved", "Date": AT, **row})).rows
    assert {name: getattr(found, name) for name in says} == says


def test_the_folders_marketplace_is_that_of_rows_without_one() -> None:
    assert [row.marketplace for row in read(as_csv(SOLVED), desk_settings(marketplace="US")).rows] == ["US"]


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-10T11:30:00Z", "2026-03-10T11:30Z"),
        ("2026-03-10T11:30:00.250+01:00", "2026-03-10T10:30:00.250Z"),
        ("2026-03-10 11:30", "2026-03-10T18:30Z"),  # summer time in Los Angeles
        ("3/10/2026 11:30 PM", "2026-03-11T06:30Z"),
        ("03/10/2026 23:30:05", "2026-03-11T06:30:05Z"),
        ("2026-11-01 01:30", "2026-11-01T08:30Z"),  # twice: the first
        ("2026-03-08 02:30", "2026-03-08T10:30Z"),  # skipped: that much later
        ("soon", None),
        ("31.12.2026", None),
        ("", None),
    ],
)
def test_when_it_was_done(written: str, moment: str | None) -> None:
    given = desk_settings(timezone="America/Los_Angeles")
    [row] = read(as_csv({**SOLVED, "Date": written}), given).rows
    assert row.occurred_at == (moment and datetime.fromisoformat(moment))


def test_a_strangers_address_is_nobodys_name() -> None:
    [row] = read(as_csv({**SOLVED, "Agent": ALIAS})).rows
    assert row.actor == "unknown"


def test_an_export_in_zendesks_manner() -> None:
    events = [
        {"id": 1, "external_id": ORDER, "field_name": "status", "value": "hold", "updated": 1773142200,
         "updater": {"email": "x"}, "updater_email": "ana@shop.example"},
        {"id": 2, "external_id": ORDER, "field_name": "assignee", "value": "bo@shop.example", "updated": AT},
        {"id": 3, "external_id": ORDER, "field_name": "comment", "comment": {"body": "wait"}, "updated": AT + " UTC"},
        {"id": 4, "external_id": ORDER, "field_name": "priority", "value": "high", "updated": AT},
    ]  # fmt: skip
    parsed = read(json.dumps({"events": events, "count": 4}), desk_settings("zendesk"))
    assert [(r.row_identity, r.kind, r.agent, r.text, r.occurred_at, r.order_id) for r in parsed.rows] == [
        ("1", "hold", None, "", WHEN, ORDER),
        ("2", "assign", "Bo", "", WHEN, ORDER),
        ("3", "note", None, "wait", WHEN, ORDER),
    ]
    assert (parsed.rows[0].actor, parsed.ignored) == ("Ana Lima", 1)


def test_a_list_of_review_requests_tells_those_that_were_sent() -> None:
    listed = [
        {"Amazon Order ID": ORDER, "Status": "Sent", "Sent Date": "03/10/2026 11:30 AM"},
        {"Amazon Order ID": ORDER, "Status": "Scheduled", "Sent Date": ""},
        {"Amazon Order ID": ORDER, "Status": "Not eligible", "Sent Date": ""},
        {"Amazon Order ID": ORDER, "Status": "Lost", "Sent Date": ""},
    ]
    parsed = read(as_csv(*listed), desk_settings("review_requests"))
    assert [(row.kind, row.order_id, row.occurred_at, row.actor) for row in parsed.rows] == [
        ("review_request", ORDER, WHEN, None),
        (None, ORDER, None, None),
    ]
    assert parsed.ignored == 2


# ---------- the same action


def identity(text: str, given: Settings | None = None) -> str:
    [row] = read(text, given).rows
    return row.row_identity


@pytest.mark.parametrize(
    "other",
    [
        as_csv({**dict(reversed(NOTED.items())), "Unknown": "x"}, separator=";", end="\n"),
        as_json(NOTED),
        as_csv({**NOTED, "Date": "2026-03-10T12:30:00+01:00"}),
        as_csv({**NOTED, "Date": "03/10/2026 11:30 AM"}),
        as_csv({**NOTED, "Note": " Called  Mia Muster.\r\n"}),
    ],
)
def test_a_row_that_says_the_same_is_the_same_action(other: str) -> None:
    assert identity(other) == identity(as_csv(NOTED))


@pytest.mark.parametrize("name", ["Order ID", "Action", "Agent", "Date", "Note"])
def test_a_row_that_says_something_else_is_another(name: str) -> None:
    different = {"Order ID": "302-1234567-0000009", "Action": "Solved", "Agent": "Bo", "Date": "2026-03-10 11:31:00"}
    assert identity(as_csv({**NOTED, name: different.get(name, "x")})) != identity(as_csv(NOTED))


def test_who_joins_the_settings_later_changes_no_identity() -> None:
    given = desk_settings()
    row = as_csv({**SOLVED, "Agent": "cy@shop.example"})
    grown = given.model_copy(
        update={
            "agents": (*given.agents, given.agents[0].model_copy(update={"name": "Cy", "email": "cy@shop.example"}))
        }
    )
    assert identity(row, given) == identity(row, grown)


def test_the_desks_own_id_counts_most() -> None:
    assert identity(as_csv({**SOLVED, "Activity ID": "77"})) == "77"


# ---------- the folder


def reading(warehouse: Engine, path: Path, now: datetime = NOON, **folder: Any) -> desk_files.FolderRead:
    given = desk_settings(**folder)
    done = Path(given.desk_files.folders[0].moves_to or "") if given.desk_files.folders[0].moves_to else None
    here = given.desk_files.folders[0]
    return desk_files.read_folder(warehouse, here, path, given, buyer_key=BUYER_KEY, now=now, done=done)


def landed(warehouse: Engine) -> list[Any]:
    with warehouse.begin() as connection:
        return rows(connection, "select batch_id, line_number, kind from raw.desk_action order by 1, 2")


def test_each_content_is_read_once_whatever_it_is_called(warehouse: Engine, tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", SOLVED)
    first = reading(warehouse, tmp_path)
    assert (first.files, first.rows, first.known, len(first.batch_ids)) == (1, 1, 0, 1)
    drop(tmp_path, "b.csv", SOLVED)
    again = reading(warehouse, tmp_path)
    assert (again.files, again.rows, again.known, again.batch_ids) == (0, 0, 2, [])
    drop(tmp_path, "a.csv", SOLVED, NOTED, minutes_old=2)
    assert reading(warehouse, tmp_path).rows == 2
    assert [(line, kind) for _, line, kind in landed(warehouse)] == [(2, "solve"), (2, "solve"), (3, "note")]


def test_another_account_or_desk_has_a_memory_of_its_own(warehouse: Engine, tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", SOLVED)
    assert reading(warehouse, tmp_path).rows == 1
    assert reading(warehouse, tmp_path, desk="other").rows == 1


def test_a_file_that_is_still_written_waits(warehouse: Engine, tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", SOLVED, minutes_old=0)
    assert reading(warehouse, tmp_path).files == 0
    assert reading(warehouse, tmp_path, LATER).files == 1


def test_only_exports_are_looked_at(warehouse: Engine, tmp_path: Path) -> None:
    for name in ("a.CSV", ".hidden.csv", "notes.docx"):
        drop(tmp_path, name, SOLVED)
    (tmp_path / "folder.csv").mkdir()
    assert reading(warehouse, tmp_path).files == 1


def test_nothing_is_moved_or_deleted_unless_settings_say_so(warehouse: Engine, tmp_path: Path) -> None:
    inbox, done = tmp_path / "in", tmp_path / "done"
    drop(inbox, "a.csv", SOLVED)
    reading(warehouse, inbox)
    assert [path.name for path in inbox.iterdir()] == ["a.csv"]
    reading(warehouse, inbox, after_reading=f"move:{done}")
    assert not list(inbox.iterdir()), "what was read before is put away, too"
    [moved] = done.iterdir()
    assert moved.read_text() == as_csv(SOLVED).replace("\r\n", "\n")
    drop(inbox, "a.csv", NOTED)
    reading(warehouse, inbox, after_reading=f"move:{done}")
    assert len(list(done.iterdir())) == 2, "two exports of one name"
    drop(inbox, "a.csv", SOLVED, NOTED)
    reading(warehouse, inbox, after_reading="delete")
    assert not list(inbox.iterdir())


def test_a_file_that_is_no_export_is_named_and_stops_no_other(warehouse: Engine, tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", text="<html>")
    drop(tmp_path, "b.csv", SOLVED)
    for _ in range(2):  # until somebody corrects the format or takes it away
        with pytest.raises(BadDocument, match="Account main, desk bqool: a.csv has no column for"):
            reading(warehouse, tmp_path, after_reading="delete")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert len(landed(warehouse)) == 1


def test_a_file_with_half_of_the_usual_columns_is_refused_until_it_is_read_by_hand(
    warehouse: Engine, tmp_path: Path
) -> None:
    for number in range(3):
        drop(tmp_path, f"{number}.csv", NOTED | {"Note": f"Note {number}."})
    assert reading(warehouse, tmp_path).rows == 3
    half = drop(tmp_path, "half.csv", {"Order ID": ORDER, "Date": AT})
    with pytest.raises(BadDocument, match="half.csv has only 2 of the usual 5 columns"):
        reading(warehouse, tmp_path)
    given = desk_settings()
    folder = given.desk_files.folders[0]
    desk_files.read_file(warehouse, folder, half, given, buyer_key=BUYER_KEY, now=NOON)
    assert reading(warehouse, tmp_path).known == 4


def test_a_folder_that_is_not_there_is_named(warehouse: Engine, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="account main, desk bqool|Account main, desk bqool"):
        reading(warehouse, tmp_path / "missing")


def test_an_object_store_is_read_like_a_folder(warehouse: Engine, tmp_path: Path) -> None:
    from airflow.sdk import ObjectStoragePath

    drop(tmp_path / "in", "a.csv", SOLVED)
    store = ObjectStoragePath(f"file://{tmp_path}/in")
    assert reading(warehouse, store).rows == 1
    assert reading(warehouse, store, after_reading=f"move:{tmp_path}/done").known == 1
    assert [path.name[:2] for path in (tmp_path / "done").iterdir()] == ["a-"]


def test_one_file_by_hand_is_read_again(warehouse: Engine, tmp_path: Path) -> None:
    given = desk_settings()
    path = drop(tmp_path, "a.csv", SOLVED)
    for _ in range(2):
        read_now = desk_files.read_file(
            warehouse, given.desk_files.folders[0], path, given, buyer_key=BUYER_KEY, now=NOON
        )
        assert read_now.rows == 1


def test_what_cannot_be_read_is_kept_apart_with_its_reason(warehouse: Engine, tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", text=as_csv(NOTED) + "Mia Muster;cut off\r\n")
    assert reading(warehouse, tmp_path).bad_lines == 1
    with warehouse.begin() as connection:
        assert rows(connection, "select row_key, rule, reason from ops.quarantine") == [
            ("line 3", "line_readable", "1 fields instead of 5")
        ]
        assert rows(connection, "select content from pii.quarantined_row") == [("Mia Muster;cut off",)]
