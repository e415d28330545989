"""The stand-in's feedback report: each site's language, dates and encoding, and feedback as it stands at the time."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from amazon_builders import DOCUMENTS, NOW, REPORTS, Caller, order_id, running

from sandbox.amazon_feedback import HEADINGS, Feedback
from sandbox.amazon_marketplaces import MARKETPLACES
from sandbox.world import Seller, World, demo_sellers, generate

DAY = timedelta(days=1)
EVERYWHERE = {region: tuple(c for c, m in MARKETPLACES.items() if m.region == region) for region in ("na", "eu", "fe")}


def feedback(number: int = 1, country: str = "DE", days_ago: float = 5, **changes: Any) -> Feedback:
    given = Feedback(
        order_id=order_id(number),
        marketplace=country,
        rater_email="rater@marketplace.amazon.de",
        rated_at=NOW - days_ago * DAY,
        rating=2,
        comments='Kam "sehr" spät.',
    )
    return replace(given, **changes)


def seller(region: str) -> Seller:
    return Seller("shop", region, EVERYWHERE[region], "id", "secret", f"Atzr|shop-{region}", "ASHOP")


def world(*given: Feedback, region: str = "eu") -> World:
    return World(sellers=(seller(region),), orders={}, mails=[], feedback={("shop", region): list(given)})


@pytest.fixture
def amazon() -> Iterator[Caller]:
    with running(world(feedback(), feedback(2, "FR", rated_at=NOW - 200 * DAY))) as caller:
        yield caller


def finished(amazon: Caller, country: str = "DE", days: float = 90) -> dict[str, Any]:
    body = {
        "reportType": "GET_SELLER_FEEDBACK_DATA",
        "marketplaceIds": [MARKETPLACES[country].id],
        "dataStartTime": (amazon.clock.now - days * DAY).isoformat(),
    }
    report_id = amazon.call("POST", REPORTS, json=body).json()["reportId"]
    amazon.clock.forward(minutes=1)
    report: dict[str, Any] = amazon.get(f"{REPORTS}/{report_id}").json()
    return report


def lines(amazon: Caller, country: str = "DE") -> list[list[str]]:
    """The report's lines, decoded as the download says."""
    described = amazon.get(f"{DOCUMENTS}/{finished(amazon, country)['reportDocumentId']}").json()
    download = amazon.http.get(described["url"])
    charset = download.headers["content-type"].removeprefix("text/plain; charset=")
    text = download.content.decode({"Shift_JIS": "cp932", "UTF-8": "utf-8-sig"}.get(charset, charset))
    return [line.split("\t") for line in text.removesuffix("\r\n").split("\r\n")]


def test_a_report_lists_feedback_of_its_marketplace(amazon: Caller) -> None:
    assert lines(amazon) == [
        list(HEADINGS["de"]),
        ["24.2.26", "2", 'Kam "sehr" spät.', "", order_id(1), "rater@marketplace.amazon.de"],
    ]


@pytest.mark.parametrize(
    ("country", "day", "heading", "encoding"),
    [
        ("US", "2/5/26", "Date", b"\xef\xbb\xbf"),
        ("CA", "5/2/26", "Date", b"\xef\xbb\xbf"),
        ("BR", "5/2/26", "Data", b"\xef\xbb\xbf"),
        ("UK", "5/2/26", "Date", b"Date"),
        ("DE", "5.2.26", "Datum", b"Datum"),
        ("SE", "2026-02-05", "Datum", b"Datum"),
        ("PL", "5/2/26", "Data", b"\xef\xbb\xbf"),
        ("SA", "5/2/26", "التاريخ", b"\xef\xbb\xbf"),
        ("JP", "26/2/6", "日付", "日付".encode("cp932")),
        ("AU", "6/2/26", "Date", b"\xef\xbb\xbf"),
    ],
)
def test_each_site_writes_in_its_own_manner(country: str, day: str, heading: str, encoding: bytes) -> None:
    evening = datetime(2026, 2, 5, 20, tzinfo=UTC)  # the next day in Japan and Australia
    region = MARKETPLACES[country].region
    with running(world(feedback(1, country, rated_at=evening), region=region)) as amazon:
        heading_line, line = lines(amazon, country)
        assert (heading_line[0], line[0]) == (heading, day)
        described = amazon.get(f"{DOCUMENTS}/{finished(amazon, country)['reportDocumentId']}").json()
        assert amazon.http.get(described["url"]).content.startswith(encoding)


def test_feedback_changes_over_time() -> None:
    changing = feedback(
        edited_at=NOW + DAY,
        edited_rating=3,
        edited_comments="Besser.",
        answered_at=NOW + 2 * DAY,
        response="Danke.",
        removed_at=NOW + 3 * DAY,
    )
    with running(world(changing)) as amazon:
        shown = []
        for _ in range(4):
            shown.append([line[1:4] for line in lines(amazon)[1:]])
            amazon.clock.forward(days=1)
            amazon.authorize()
    assert shown == [[["2", 'Kam "sehr" spät.', ""]], [["3", "Besser.", ""]], [["3", "Besser.", "Danke."]], []]


def test_feedback_raised_above_three_stars_is_no_longer_listed() -> None:
    with running(world(feedback(edited_at=NOW - DAY, edited_rating=5))) as amazon:
        assert lines(amazon) == [list(HEADINGS["de"])]


def test_feedback_is_not_known_before_it_is_given() -> None:
    with running(world(feedback(days_ago=-1))) as amazon:
        assert finished(amazon)["processingStatus"] == "CANCELLED"
        amazon.clock.forward(days=1)
        amazon.authorize()
        assert finished(amazon)["processingStatus"] == "DONE"


def test_no_feedback_in_the_span_cancels_the_report(amazon: Caller) -> None:
    assert finished(amazon, "FR")["processingStatus"] == "CANCELLED"
    assert finished(amazon, "DE", days=2)["processingStatus"] == "CANCELLED"
    assert finished(amazon, "IT")["processingStatus"] == "CANCELLED"


class TestHistory:
    @pytest.fixture(scope="class")
    def history(self) -> World:
        return generate(seed=7, until=NOW, days=30, sellers=demo_sellers(), orders_per_day=20)

    @pytest.fixture(scope="class")
    def given(self, history: World) -> list[Feedback]:
        return [each for region in history.feedback.values() for each in region]

    def test_feedback_is_of_orders_that_were_sent(self, history: World, given: list[Feedback]) -> None:
        sent = {
            order["orderId"]: order["salesChannel"]["marketplaceId"]
            for orders in history.orders.values()
            for order in orders
            if order["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
        }
        assert given
        assert all(sent[each.order_id] == MARKETPLACES[each.marketplace].id for each in given)
        assert len({each.order_id for each in given}) == len(given)
        assert all(each.rated_at <= NOW for each in given)

    def test_mail_about_feedback_says_the_same(self, history: World, given: list[Feedback]) -> None:
        by_order = {each.order_id: each for each in given}
        notices = [letter for letter in history.truth.values() if letter.kind == "feedback_notice"]
        assert 0 < len(notices) < len(given)  # of some there is no mail
        for notice in notices:
            each = by_order[notice.order_id or ""]
            assert (each.rating, each.comments, each.rated_at) == (notice.rating, notice.words, notice.sent_at)

    def test_some_is_edited_answered_and_removed_before_and_after_the_end(self, given: list[Feedback]) -> None:
        for change in ("edited_at", "answered_at", "removed_at"):
            moments = [getattr(each, change) for each in given]
            assert None in moments
            assert any(at and at <= NOW for at in moments)
            assert any(at and at > NOW for at in moments)
            assert all(at > each.rated_at for at, each in zip(moments, given, strict=True) if at)

    def test_the_same_every_time(self, history: World) -> None:
        again = generate(seed=7, until=NOW, days=30, sellers=demo_sellers(), orders_per_day=20)
        assert again.feedback == history.feedback
