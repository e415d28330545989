"""The worklist as mail, page and CSV: readable, complete, and harmless whatever stands in an order."""

import csv
import io
from pathlib import Path

import pytest
from output_rows import NOON, ORDER, after, before, clock, goods, order, settings, ticket, waiting
from sqlalchemy import Connection

from amazon_support.outputs import messages
from amazon_support.outputs.items import Worklist, one_line
from amazon_support.outputs.worklist import read_worklists, write_files, write_worklists
from amazon_support.settings import Agent, Settings
from amazon_support.settings.assignment import Assignment, Lists, Team

SCRIPT = "<script>alert('x')</script>\" onload=\"x"


def written(connection: Connection) -> Worklist:
    write_worklists(connection, settings(), as_of=NOON)
    (shown,) = read_worklists(connection, settings(), as_of=NOON)
    return shown


def files(connection: Connection, folder: Path, current: Settings | None = None) -> list[Path]:
    current = current or settings()
    write_worklists(connection, current, as_of=NOON)
    return write_files(connection, current, folder, as_of=NOON)


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


# ---------- mail


def test_the_subject_says_how_much_and_how_urgent(connection: Connection) -> None:
    for hours in (30, 25, 21, 1):
        waiting(connection, f"DE:order:{hours}", before(hours=hours))
    assert messages.worklist_mail(written(connection)).subject == "Worklist 12:00 UTC: 2 late, 1 at risk, 4 in all"


def test_plain_text_is_lined_up_and_says_the_zone(connection: Connection) -> None:
    waiting(connection, f"DE:order:{ORDER}", before(hours=27, minutes=10), order_id=ORDER)
    order(connection, status="SHIPPED", shipped_at=before(days=1), ship_by_at=before(hours=30))
    goods(connection, "Teapot")
    waiting(connection, "JP:buyer:1", before(hours=2))
    assert messages.worklist_mail(written(connection)).plain.splitlines() == [
        "Worklist for Ana Lima",
        "As of 10 Mar 12:00 UTC",
        "1 late, 0 at risk, 2 in all",
        "",
        "REPLY NOW (2)",
        "",
        "3 h 10 min late    10 Mar 08:50 UTC  DE  Contact buyer",
        "    302-1234567-0000001, shipped, seller-fulfilled, 24.90\u00a0EUR",
        "    2 × Teapot (TEAPOT)",
        "    https://app.bqool.com/",
        "",
        "22 h left          11 Mar 10:00 UTC  JP  Contact buyer",
        "    https://sellercentral.amazon.co.jp/messaging/inbox",
        "",
        "All times are UTC.",
    ]


def test_what_time_left_says_already_is_not_said_twice(connection: Connection) -> None:
    clock(connection, ticket(connection, "DE:order:1", periods=[("on_hold", before(hours=3))]), before(hours=25))
    ticket(connection, "DE:order:2", "refund")
    ticket(connection, "DE:case:777", "case_update", periods=[("new", before(hours=50))])
    clock(connection, "DE:case:777", before(hours=50), metric="case_follow_up", hours=48)
    assert [(item.time_left, item.remark, item.facts) for item in written(connection).shown] == [
        ("1 h late", "On hold", []),
        ("", "New for 3 h", []),
        ("2 h late", "No movement for 2 d 2 h: chase it", ["case 777"]),
    ]


def test_accounts_are_named_where_there_are_several(connection: Connection) -> None:
    order(connection)
    assert "main" not in messages.worklist_mail(written(connection)).plain
    order(connection, account="outlet")
    rendered = messages.worklist_mail(written(connection))
    assert [line[41:] for line in rendered.plain.splitlines() if "Order," in line] == ["Order, main", "Order, outlet"]
    assert "· DE · outlet · <a" in rendered.html


def test_html_marks_what_is_late_and_links_to_the_tool(connection: Connection) -> None:
    waiting(connection, "DE:order:1", before(hours=25))
    waiting(connection, "JP:order:2", before(hours=21))
    html = messages.worklist_mail(written(connection)).html
    assert '<div class="left late">1 h late</div>' in html
    assert '<div class="left soon">3 h left</div>' in html
    assert '<a href="https://app.bqool.com/">Open in BQool</a>' in html
    assert '<a href="https://sellercentral.amazon.co.jp/messaging/inbox">Open in Seller Central</a>' in html


def test_a_hostile_title_is_text_and_nothing_else(connection: Connection) -> None:
    order(connection)
    goods(connection, SCRIPT)
    rendered = messages.worklist_mail(written(connection))
    assert "<script>" not in rendered.html
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&#34; onload=&#34;x" in rendered.html
    assert SCRIPT in rendered.plain, "plain text is not HTML: nothing to escape"


def test_a_title_cannot_forge_lines_of_the_plain_text(connection: Connection) -> None:
    order(connection)
    goods(connection, "Teapot\r\n\r\nREPLY NOW (1)\u2028\u202eevil\x1b[31m")
    plain = messages.worklist_mail(written(connection)).plain
    assert "    2 × Teapot REPLY NOW (1) evil [31m (TEAPOT)" in plain.splitlines()


def test_a_long_section_is_cut_in_the_mail_and_says_so(connection: Connection) -> None:
    for number in range(messages.MAIL_REPLIES + 3):
        waiting(connection, f"DE:order:{number}", before(hours=2))
    shown = written(connection)
    rendered = messages.worklist_mail(shown)
    assert rendered.html.count('class="title"') == messages.MAIL_REPLIES
    assert "and 3 more: see" in rendered.html
    assert "and 3 more: see" in rendered.plain
    assert messages.worklist_page(shown).count('class="title"') == messages.MAIL_REPLIES + 3


def test_the_fullest_mail_is_not_cut_off_by_gmail(connection: Connection) -> None:
    kinds = ("negative_feedback", "refund", "performance_notification", "case_update", "unknown_mail")
    for number in range(messages.MAIL_REPLIES):
        order_id = order(connection, f"302-1234567-{number:07}")
        goods(connection, "A title of the usual length, with colour, size and what it is good for " * 2, order_id)
        waiting(connection, f"DE:order:{order_id}", before(hours=2), order_id=order_id)
        for kind in kinds:
            ticket(connection, f"DE:case:{kind}{number}", kind, order_id=order_id)
        ticket(connection, f"DE:case:held{number}", order_id=order_id, periods=[("on_hold", before(days=3))])
        clock(connection, f"DE:case:held{number}", before(days=3), metric="stakeholder_follow_up", hours=48)
        silent = [("solved", before(minutes=5), "auto_solve")]
        ticket(connection, f"DE:case:silent{number}", order_id=order_id, periods=silent)
    shown = written(connection)
    assert len(shown.items) == 9 * messages.MAIL_REPLIES
    html = messages.worklist_mail(shown).html
    assert html.count('class="title"') == messages.MAIL_REPLIES + 8 * messages.MAIL_ITEMS
    assert len(html.encode()) < 102_000


def test_an_empty_list_says_so(connection: Connection) -> None:
    rendered = messages.worklist_mail(written(connection))
    assert "Nothing to do." in rendered.html
    assert "Nothing to do." in rendered.plain


def test_yen_have_no_cents(connection: Connection) -> None:
    order(connection, total_amount="1980", currency="JPY")
    assert "1980\u00a0JPY" in messages.worklist_mail(written(connection)).plain


# ---------- files


def test_each_agent_has_a_csv_and_a_page_named_by_hour(connection: Connection, tmp_path: Path) -> None:
    waiting(connection, "DE:order:1", before(hours=2))
    agents = (
        Agent(name="Ana Lima", email="ana@shop.example"),
        Agent(name="Zoë Müller", email="zoe@shop.example", marketplaces=("JP",)),
    )
    paths = files(connection, tmp_path / "worklists", settings(*agents))
    assert [path.name for path in paths] == [
        "worklist-20260310T1200Z-ana-lima.csv",
        "worklist-20260310T1200Z-ana-lima.plain.csv",
        "worklist-20260310T1200Z-ana-lima.html",
        "worklist-20260310T1200Z-zoe-muller.csv",
        "worklist-20260310T1200Z-zoe-muller.plain.csv",
        "worklist-20260310T1200Z-zoe-muller.html",
    ]
    assert [len(rows(path)) for path in paths if path.suffix == ".csv"] == [1, 1, 0, 0]
    assert "Nothing to do." in paths[5].read_text()


def test_lists_that_the_settings_name_have_files_too(connection: Connection, tmp_path: Path) -> None:
    waiting(connection, "DE:order:1", before(hours=2))
    assignment = Assignment(
        teams=(Team(name="europe", agents=("Ana Lima",), lead="Ana Lima"),),
        lists=Lists(desks={"bqool": ("a@shop.example", "b@shop.example")}, marketplaces={"JP": ("a@shop.example",)}),
    )
    paths = files(connection, tmp_path, settings().model_copy(update={"assignment": assignment}))
    pages = {path.name.removeprefix("worklist-20260310T1200Z-"): path for path in paths if path.suffix == ".html"}
    assert list(pages) == ["ana-lima.html", "desk-bqool.html", "marketplace-jp.html", "team-europe.html"]
    assert "Nothing to do." in pages["marketplace-jp.html"].read_text()


def test_names_that_look_alike_in_a_file_name_are_told_apart(connection: Connection, tmp_path: Path) -> None:
    names = ("Ana Lima", "ana-lima", "田中", "../..")
    paths = files(connection, tmp_path, settings(*(Agent(name=n, email="a@shop.example") for n in names)))
    assert len({path.name for path in paths}) == 12
    assert {path.parent for path in paths} == {tmp_path}


def test_the_plain_csv_has_what_amazon_told_as_it_is(connection: Connection, tmp_path: Path) -> None:
    waiting(connection, "DE:order:1", before(hours=25))
    order(connection, "=1+1")
    goods(connection, "Tea, black,\n100 g", "=1+1")
    safe, plain = (path.read_bytes() for path in files(connection, tmp_path)[:2])
    reply, shipping = csv.DictReader(io.StringIO(plain.decode(), newline=""))
    assert (reply["due_at"], reply["seconds_left"]) == ("2026-03-10T11:00:00Z", "-3600")
    assert (shipping["order_id"], shipping["items"]) == ("=1+1", "2 × Tea, black,\n100 g (TEAPOT)")
    assert b"'=1+1" in safe


def test_csv_has_the_items_with_times_in_utc(connection: Connection, tmp_path: Path) -> None:
    waiting(connection, "DE:order:1", before(hours=25))
    order(connection, ship_by_at=after(hours=6))
    reply, shipping = rows(files(connection, tmp_path)[0])
    assert (reply["section"], reply["due_at"], reply["seconds_left"]) == ("reply_now", "2026-03-10 11:00 UTC", "-3600")
    assert (shipping["ticket_id"], shipping["order_id"], shipping["total_amount"]) == ("", ORDER, "24.9000")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "＝", " =", "\u200b="])
def test_no_cell_of_the_csv_is_a_formula(connection: Connection, tmp_path: Path, start: str) -> None:
    order(connection, f"{start}1+1")
    goods(connection, 'cmd|"/c calc"!A1', f"{start}1+1", quantity=1)
    (row,) = rows(files(connection, tmp_path)[0])
    assert row["order_id"] == f"'{one_line(start)}1+1"
    assert row["items"] == '1 × cmd|"/c calc"!A1 (TEAPOT)'
