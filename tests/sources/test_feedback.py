"""Feedback of every marketplace, pulled through the real client from a stand-in that speaks Amazon's protocol."""

import codecs
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from amazon_shop import DAY, MARKETPLACES, SETTINGS, SHIPPED, Shop
from amazon_shop import running as running_shop
from landing import NOON, let_pass, order_id
from sqlalchemy import Engine

from amazon_support.pull import SOURCES, Errand, fetch
from amazon_support.settings import Account, AccountMarketplace
from amazon_support.sources.amazon import UNAVAILABLE_WAITS
from amazon_support.sources.errors import ComeBackAt, SourceError, Unavailable
from amazon_support.sources.feedback import OUTAGE, REPORT, Pulled, fetch_feedback, pull_feedback
from amazon_support.sources.feedback_report import Parsed
from amazon_support.sources.memory import ShortMemory
from amazon_support.warehouse import land
from amazon_support.window import Window
from sandbox.amazon_feedback import Feedback

WINDOW = Window(NOON - DAY, NOON, live=True)
ATTEMPTS = 1 + len(UNAVAILABLE_WAITS)  # of one call
PERSONAL = ("Too late", "rater77", "Sorry")
WORDS = {
    "DE": 'Kam "viel" zu spät – 3 €!',
    "FR": "Ça n'arrive jamais…",
    "SE": "Tråkig försäljare",
    "PL": "Zupełnie źle",
    "TR": "Çok geç geldi, ağır",
    "SA": "متأخر جدا",
    "JP": "遅い①。髙い",
}


def given(number: int, country: str = "DE", rated_at: datetime = NOON - 5 * DAY, **changes: Any) -> Feedback:
    words = WORDS.get(country, "Too late")
    feedback = Feedback(order_id(number), country, f"rater{number}@amazon.example", rated_at, 1 + number % 3, words)
    return replace(feedback, **changes)


@contextmanager
def running(
    warehouse: Engine, folder: Path, feedback: Sequence[Feedback], region: str = "eu", countries: Sequence[str] = ()
) -> Iterator[Shop]:
    """A shop at the real rates, open in these countries (all of the region if none are given)."""
    closed = {
        country: AccountMarketplace(state="disabled")
        for country in MARKETPLACES[region]
        if countries and country not in countries
    }
    with running_shop(warehouse, folder, {region: []}, feedback=feedback) as shop:
        shop.settings = SETTINGS.model_copy(update={"accounts": (Account(name="shop", marketplaces=closed),)})
        yield shop


def pull(shop: Shop, window: Window = WINDOW, memory: ShortMemory | None = None, *, region: str = "eu") -> Pulled:
    return cast(Pulled, shop.pull(cast(Any, pull_feedback), window, memory, region))


def attempt(shop: Shop, memory: ShortMemory) -> None:
    shop.attempt(cast(Any, pull_feedback), WINDOW, memory)


def pull_at(shop: Shop, moment: datetime) -> Pulled:
    shop.clock.now = moment + timedelta(minutes=5)
    return pull(shop, Window(moment - DAY, moment, live=True))


def publish(shop: Shop) -> None:
    with shop.warehouse.begin() as connection:
        let_pass(connection)
        land.publish_feedback(connection, shop.settings)


def landed(shop: Shop) -> list[str]:
    return sorted(shop.column("select order_id from raw.feedback_received"))


# ---------- every site


@pytest.mark.parametrize("region", ["na", "eu", "fe"])
def test_feedback_of_every_site_is_read_as_it_was_given(warehouse: Engine, tmp_path: Path, region: str) -> None:
    # Just before midnight by UTC: in half of the world it is another day.
    moments = [NOON - 40 * DAY - timedelta(minutes=hours * 60) for hours in (0, 11, 12.5)]
    everything = [
        given(3 * place + number, country, moment, response=f"{WORDS.get(country, 'Sorry')}!", answered_at=NOON - DAY)
        for place, country in enumerate(MARKETPLACES[region])
        for number, moment in enumerate(moments)
    ]
    with running(warehouse, tmp_path, everything, region) as shop:
        pulled = pull(shop, region=region)
        assert (pulled.feedback, pulled.bad_lines, pulled.no_data) == (len(everything), 0, [])
        assert pulled.unknown_headings == {}
        publish(shop)
        with warehouse.connect() as connection:
            found = connection.exec_driver_sql(
                "select f.order_id, f.marketplace, f.rated_on, f.rating, w.comments, w.response, w.rater_email "
                "from core.feedback as f inner join pii.feedback as w using (account, order_id) order by 1"
            ).all()
    zones = SHIPPED.by_country
    assert [tuple(row) for row in found] == sorted(
        (f.order_id, f.marketplace, local_day(f.rated_at, zones[f.marketplace].timezone), f.rating)
        + (f.comments, f.response, f.rater_email)
        for f in everything
    )
    assert list(tmp_path.iterdir()) == []


def local_day(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()


def test_disabled_marketplaces_are_not_asked_for(warehouse: Engine, tmp_path: Path) -> None:
    with running(warehouse, tmp_path, [given(1, "DE"), given(2, "FR")], countries=["DE"]) as shop:
        pulled = pull(shop)
        assert shop.faults.calls["createReport"] == 1
        assert landed(shop) == [order_id(1)]
        assert pulled.batch_ids == shop.column("select batch_id from ops.batch")


def test_nothing_is_asked_for_where_all_marketplaces_are_disabled(warehouse: Engine, tmp_path: Path) -> None:
    with running(warehouse, tmp_path, [given(1)], countries=["ES"]) as shop:
        shop.settings = SETTINGS.model_copy(update={"accounts": (Account(name="shop", enabled=False),)})
        pulled = pull(shop)
        assert (pulled.feedback, pulled.calls) == (0, {})


def test_the_batch_tells_span_and_instant(warehouse: Engine, tmp_path: Path) -> None:
    with running(warehouse, tmp_path, [given(1)], countries=["DE"]) as shop:
        pull(shop)
        with warehouse.connect() as connection:
            [found] = connection.exec_driver_sql(
                "select b.dataset, b.scope, b.window_start, b.window_end, r.seen_at "
                "from ops.batch as b inner join raw.feedback_report as r using (batch_id)"
            ).all()
    assert tuple(found) == ("feedback", "DE", NOON - 90 * DAY, *[NOON + timedelta(minutes=5)] * 2)


def test_what_a_task_tells_holds_nothing_personal(
    warehouse: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    feedback = given(77, "UK", response="Sorry", answered_at=NOON - DAY)
    with running(warehouse, tmp_path, [feedback], countries=["UK"]) as shop:
        pulled = pull(shop)
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("amazon_support"))
    for private in PERSONAL:
        assert private not in f"{pulled}{ours}"


# ---------- as time goes by


def test_edits_answers_and_removals_are_seen_by_later_pulls(warehouse: Engine, tmp_path: Path) -> None:
    changing = given(
        1,
        edited_at=NOON + 0.5 * DAY,
        edited_rating=3,
        edited_comments="Es geht.",
        answered_at=NOON + 1.5 * DAY,
        response="Danke.",
        removed_at=NOON + 2.5 * DAY,
    )
    standing = given(2)
    with running(warehouse, tmp_path, [changing, standing], countries=["DE"]) as shop:
        for days in range(4):
            pull_at(shop, NOON + days * DAY)
            publish(shop)
        history = shop.column(
            "select kind from core.feedback_change where order_id = :o order by seen_at", o=order_id(1)
        )
        assert history == ["appeared", "edited", "answered", "removed"]
        assert shop.column("select order_id from core.feedback where removed_at is null") == [order_id(2)]
        assert shop.column(
            "select kind || ' ' || (detail ->> 'feedback') from core.ticket_event where order_id = :o "
            "order by occurred_at",
            o=order_id(1),
        ) == ["notice appeared", "note edited", "note answered", "note removed"]


def test_when_all_feedback_was_removed_the_report_says_so(warehouse: Engine, tmp_path: Path) -> None:
    with running(warehouse, tmp_path, [given(1, removed_at=NOON + 0.5 * DAY)], countries=["DE"]) as shop:
        for days in (0, 1):
            pulled = pull_at(shop, NOON + days * DAY)
            publish(shop)
        assert (pulled.feedback, len(pulled.batch_ids), pulled.no_data) == (0, 1, [])
        assert shop.column("select removed_at from core.feedback") == [NOON + DAY + timedelta(minutes=5)]


def test_a_cancelled_report_proves_nothing(warehouse: Engine, tmp_path: Path) -> None:
    with running(warehouse, tmp_path, [given(1), given(2, "FR")], countries=["DE", "FR", "IT"]) as shop:
        pull_at(shop, NOON)
        publish(shop)
        shop.faults.report(REPORT, "CANCELLED", times=3)
        pulled = pull_at(shop, NOON + DAY)
        publish(shop)
        assert (pulled.batch_ids, sorted(pulled.no_data)) == ([], ["DE", "FR", "IT"])
        assert min(end for _, end in shop.pulled("feedback").values()) >= NOON + DAY
        assert shop.column("select removed_at from core.feedback") == [None, None]


def test_a_past_interval_is_asked_for_with_its_end(warehouse: Engine, tmp_path: Path) -> None:
    feedback = [given(1, rated_at=NOON - 40 * DAY), given(2, rated_at=NOON - 20 * DAY)]
    with running(warehouse, tmp_path, feedback, countries=["DE"]) as shop:
        pull(shop, Window(NOON - 31 * DAY, NOON - 30 * DAY, live=False))
        assert landed(shop) == [order_id(1)]


def test_feedback_given_while_the_report_is_made_is_not_lost(warehouse: Engine, tmp_path: Path) -> None:
    with running(warehouse, tmp_path, [given(1, rated_at=NOON + timedelta(minutes=2))], countries=["DE"]) as shop:
        pull(shop)
        assert landed(shop) == [order_id(1)]


# ---------- waiting, dying, failing


def test_all_reports_are_ordered_before_the_first_is_waited_for(warehouse: Engine, tmp_path: Path) -> None:
    countries = ["DE", "FR", "IT"]
    with running(warehouse, tmp_path, [given(1)], countries=countries) as shop:
        with pytest.raises(ComeBackAt):
            attempt(shop, ShortMemory())
        assert shop.faults.calls["createReport"] == 3
        assert shop.faults.calls["getReport"] == 0


def test_more_marketplaces_than_amazon_lets_order_at_once_are_no_trouble(warehouse: Engine, tmp_path: Path) -> None:
    countries = MARKETPLACES["eu"]
    everything = [given(number, country) for number, country in enumerate(countries)]
    with running(warehouse, tmp_path, everything) as shop:
        assert len(countries) > 15  # createReport's burst
        pull(shop)
        assert landed(shop) == sorted(each.order_id for each in everything)
        assert shop.faults.calls["createReport"] == len(countries)
        assert shop.column("select sum(throttled) from ops.api_call") == [0]


@pytest.mark.parametrize("operation", ["createReport", "getReport", "getReportDocument", "download"])
@pytest.mark.parametrize("after", [0, 1])
def test_a_pull_cut_off_anywhere_goes_on_where_it_was(
    warehouse: Engine, tmp_path: Path, operation: str, after: int
) -> None:
    with running(warehouse, tmp_path, [given(1, "DE"), given(2, "FR")], countries=["DE", "FR"]) as shop:
        shop.faults.next(operation, after=after, reset=True)
        memory, pulled = ShortMemory(), None
        while pulled is None:
            try:
                pulled = pull(shop, WINDOW, memory)
            except SourceError:
                shop.clock.now += timedelta(minutes=5)  # the task is tried again
        assert landed(shop) == [order_id(1), order_id(2)]
        assert len(shop.column("select batch_id from ops.batch")) == 2


def test_a_pull_killed_after_landing_lands_again_and_changes_nothing(warehouse: Engine, tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    class Dying(ShortMemory):
        """Of a process that is killed before it can note what was landed."""

        lives = 1

        def set(self, key: str, value: Any) -> None:
            if self.lives and key == "feedback" and value["landed"]:
                self.lives -= 1
                raise Killed
            super().set(key, value)

    memory = Dying()
    with running(warehouse, tmp_path, [given(1)], countries=["DE"]) as shop:
        with pytest.raises(Killed):
            pull(shop, WINDOW, memory)
        assert landed(shop) == [order_id(1)]
        pull(shop, WINDOW, memory)
        assert landed(shop) == [order_id(1)] * 2
        assert shop.faults.calls["createReport"] == 1
        publish(shop)
        assert shop.column("select kind from core.feedback_change") == ["appeared"]


def test_one_marketplace_that_fails_does_not_stop_the_others(warehouse: Engine, tmp_path: Path) -> None:
    feedback = [given(1, "DE"), given(2, "FR"), given(3, "IT")]
    with running(warehouse, tmp_path, feedback, countries=["DE", "FR", "IT"]) as shop:
        shop.faults.next("download", body=b"<html>Sign in</html>", content_type="text/html")
        memory = ShortMemory()
        with pytest.raises(SourceError, match=r"(?s)No feedback of .*shop.*error page.*orders another") as failed:
            pull(shop, WINDOW, memory)
        assert type(failed.value) is SourceError
        assert len(landed(shop)) == 2
        pull(shop, WINDOW, memory)
        assert landed(shop) == [order_id(number) for number in (1, 2, 3)]
        assert shop.faults.calls["createReport"] == 4


def test_a_download_that_always_breaks_off_does_not_hold_up_the_others(warehouse: Engine, tmp_path: Path) -> None:
    with running(warehouse, tmp_path, [given(1), given(2, "FR"), given(3, "IT")], countries=["DE", "FR", "IT"]) as shop:
        shop.faults.next("download", times=3, reset=True)
        memory = ShortMemory()
        with pytest.raises(SourceError, match=r"No feedback of DE .*The download of"):
            pull(shop, WINDOW, memory)
        assert landed(shop) == [order_id(2), order_id(3)]
        pull(shop, WINDOW, memory)
        assert landed(shop) == [order_id(number) for number in (1, 2, 3)]
        assert shop.faults.calls["createReport"] == 3


def test_an_outage_ends_the_pull_at_once_and_the_next_begins_again(warehouse: Engine, tmp_path: Path) -> None:
    countries = MARKETPLACES["eu"]
    everything = [given(number, country) for number, country in enumerate(countries)]
    with running(warehouse, tmp_path, everything) as shop:
        shop.faults.next("createReport", times=OUTAGE * ATTEMPTS, reset=True)
        memory = ShortMemory()
        with pytest.raises(Unavailable):
            pull(shop, WINDOW, memory)
        assert shop.faults.calls["createReport"] == OUTAGE * ATTEMPTS
        pull(shop, WINDOW, memory)
        assert landed(shop) == sorted(each.order_id for each in everything)


def test_what_was_ordered_days_after_the_first_attempt_is_not_dated_back(warehouse: Engine, tmp_path: Path) -> None:
    fresh = given(1, rated_at=NOON + 2.5 * DAY)
    with running(warehouse, tmp_path, [fresh], countries=["DE"]) as shop:
        memory = ShortMemory()
        shop.faults.next("createReport", status=400)
        with pytest.raises(SourceError):
            pull(shop, WINDOW, memory)
        later = shop.clock.now = NOON + 3 * DAY
        pull(shop, WINDOW, memory)
        publish(shop)
        assert shop.column("select first_seen_at from core.feedback") == [later]
        assert shop.column("select given_by > '2026-03-12' from core.feedback") == [True]


def test_a_report_that_amazon_cannot_make_is_told_with_its_reason(warehouse: Engine, tmp_path: Path) -> None:
    with running(warehouse, tmp_path, [given(1), given(2, "FR")], countries=["DE", "FR"]) as shop:
        shop.faults.report(REPORT, "FATAL", reason="Out of paper", times=4)
        with pytest.raises(SourceError, match=r"No feedback of DE, FR.*Out of paper"):
            pull(shop)
        assert landed(shop) == []


def test_a_heading_never_seen_is_told_and_its_feedback_kept(
    warehouse: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = "Päivä\tArvio\tSanat\tVastaus\tTilaus\tSähköposti\r\n" + "\t".join(
        ("5.3.26", "1", "Too late", "", order_id(1), "rater77@amazon.example")
    )
    with running(warehouse, tmp_path, [given(1)], countries=["DE"]) as shop:
        shop.faults.next("download", body=content.encode("cp1252"), content_type="text/plain")  # no charset
        pulled = pull(shop)
        assert landed(shop) == [order_id(1)]
    assert pulled.unknown_headings == {"DE": ["Päivä", "Arvio", "Sanat", "Vastaus", "Tilaus", "Sähköposti"]}
    assert "Päivä, Arvio" in caplog.text
    assert "Too late" not in caplog.text


@pytest.mark.parametrize(
    ("encoded", "content_type"),
    [
        (lambda text: text.encode("utf-8"), "text/plain; charset=UTF-8"),
        (lambda text: codecs.BOM_UTF8 + text.encode("utf-8"), "text/plain;charset=Cp1252"),
        (lambda text: text.encode("utf-16"), "text/plain"),
        (lambda text: text.encode("cp1252"), "text/plain"),
        (lambda text: text.encode("cp1252"), 'text/plain; charset="ISO-8859-1"'),
    ],
    ids=["as it says", "its mark wins", "its mark tells", "as the site does", "Latin means Microsoft's"],
)
def test_the_encoding_is_told_by_the_download(
    warehouse: Engine, tmp_path: Path, encoded: Callable[[str], bytes], content_type: str
) -> None:
    text = "Datum\tBewertung\tKommentare\tAntwort\tBestellnummer\tE-Mail des Bewerters\r\n"
    text += f"5.3.26\t1\t{WORDS['DE']}\t\t{order_id(1)}\trater@amazon.example\r\n"
    with running(warehouse, tmp_path, [given(1)], countries=["DE"]) as shop:
        shop.faults.next("download", body=encoded(text), content_type=content_type)
        pull(shop)
        assert shop.column("select comments from pii.feedback_received") == [WORDS["DE"]]


def test_a_document_cut_off_in_a_line_keeps_the_rest(warehouse: Engine, tmp_path: Path) -> None:
    text = "Datum\tBewertung\tKommentare\tAntwort\tBestellnummer\tE-Mail des Bewerters\r\n"
    text += f"5.3.26\t1\tSchlecht\t\t{order_id(1)}\trater@amazon.example\r\n5.3.26\t2\tAuch sch"
    with running(warehouse, tmp_path, [given(1), given(2)], countries=["DE"]) as shop:
        pull_at(shop, NOON)
        publish(shop)
        shop.faults.next("download", body=text.encode("cp1252"), content_type="text/plain; charset=Cp1252")
        pulled = pull_at(shop, NOON + DAY)
        publish(shop)
        assert (pulled.feedback, pulled.bad_lines) == (1, 1)
        assert shop.column("select row_key || ' ' || reason from ops.quarantine") == ["line 3 3 fields instead of 6"]
        assert shop.column("select count(*) from core.feedback where removed_at is null") == [2]


# ---------- by hand


def orders_of(found: dict[str, Parsed | SourceError | None]) -> dict[str, Any]:
    return {
        country: [row.order_id for row in parsed.rows] if isinstance(parsed, Parsed) else parsed
        for country, parsed in found.items()
    }


def test_by_hand_a_marketplace_that_fails_is_named_and_the_others_are_read(warehouse: Engine, tmp_path: Path) -> None:
    with running(warehouse, tmp_path, [given(1, "DE"), given(2, "FR")], countries=["DE", "FR"]) as shop:
        shop.faults.next("download", body=b"<html>Sign in</html>", content_type="text/html")
        window = Window(NOON - 9 * DAY, NOON, live=False)
        # Whoever is told that something is waited for lets a minute pass.
        errand = Errand(
            shop.client(ShortMemory()), shop.settings, window, tmp_path, NOON, lambda _: shop.clock.sleep(60)
        )
        fetched = fetch(SOURCES["feedback"], errand, with_personal_data=False)
        assert len(fetched.records) == 1
        assert "error page" in fetched.problem


def test_by_hand_nothing_is_written(warehouse: Engine, tmp_path: Path) -> None:
    feedback = [given(1, "DE"), given(2, "FR")]
    with running(warehouse, tmp_path, feedback, countries=["DE", "FR", "IT"]) as shop:
        memory, found = ShortMemory(), dict[str, Parsed | SourceError | None]()
        client, started = shop.client(memory), shop.clock.now
        while True:
            try:
                fetch_feedback(client, shop.settings, WINDOW, memory=memory, folder=tmp_path, now=started, found=found)
                break
            except ComeBackAt as wait:
                shop.clock.now = wait.moment
        assert orders_of(found) == {"DE": [order_id(1)], "FR": [order_id(2)], "IT": None}
        assert shop.faults.calls["createReport"] == 3
        assert shop.faults.calls["download"] == 2
        assert shop.column("select count(*) from ops.batch") == [0]
