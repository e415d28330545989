"""The invented history: the same every time, in Amazon's shapes, and with everything in it that support meets."""

import email.policy
import hashlib
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from html import unescape
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sandbox.letters import Letter
from sandbox.phrases import SITES
from sandbox.world import Seller, World, demo_sellers, generate

UNTIL = datetime(2026, 3, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KINDS = {
    "buyer_message", "reply_copy", "order_notice", "amazon_information", "return_request", "refund_notice",
    "cancellation_request", "a_to_z_opened", "a_to_z_decided", "chargeback", "feedback_notice",
    "performance_notification", "case_update", "system_qa", "delivery_failure", "buyer_opted_out", "unknown",
    "imitation",
}  # fmt: skip


@pytest.fixture(scope="module")
def world() -> World:
    return generate(seed=7, until=UNTIL, days=30, sellers=demo_sellers(), orders_per_day=12)


@dataclass(frozen=True)
class Read:
    """A mail as Python reads it, beside what it was meant to say."""

    meant: Letter
    mail: EmailMessage
    head: str
    texts: list[str]


@pytest.fixture(scope="module")
def read(world: World) -> list[Read]:
    parser = BytesParser(policy=email.policy.default)
    found = []
    for each in world.mails:
        mail = parser.parsebytes(each.raw)
        texts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
        head = each.raw.partition(b"\r\n\r\n")[0].decode("ascii")
        found.append(Read(world.truth[mail["Message-ID"]], mail, head, texts))
    return found


def small(seed: int = 7, **changed: Any) -> World:
    arguments = {"until": UNTIL, "days": 3, "sellers": demo_sellers(), "orders_per_day": 6} | changed
    return generate(seed=seed, **arguments)


def fingerprint(world: World) -> str:
    digest = hashlib.sha256(json.dumps([[*key, orders] for key, orders in world.orders.items()]).encode())
    for mail in world.mails:
        digest.update(mail.received_at.isoformat().encode() + mail.raw)
    return digest.hexdigest()


def flat(text: str) -> str:
    """Without markup and spacing."""
    return re.sub(r"\s+", "", unescape(re.sub(r"<[^>]+>", "", text)))


class TestTheSameEveryTime:
    def test_same_arguments_same_bytes(self) -> None:
        assert fingerprint(small()) == fingerprint(small())

    def test_another_seed_another_history(self) -> None:
        assert fingerprint(small()) != fingerprint(small(seed=8))

    @pytest.mark.parametrize("hash_seed", ["1", "2"])
    def test_in_another_process_too(self, hash_seed: str) -> None:
        code = "import test_world; print(test_world.fingerprint(test_world.small()))"
        environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path(__file__).parent)}
        output = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
        assert output.strip() == fingerprint(small())

    def test_a_seller_does_not_depend_on_the_others(self) -> None:
        alone = small(sellers=[seller for seller in demo_sellers() if seller.region == "fe"])
        assert alone.orders["kirschblut", "fe"] == small().orders["kirschblut", "fe"]


class TestArguments:
    def test_an_instant_without_zone_is_refused(self) -> None:
        with pytest.raises(ValueError, match="time zone"):
            small(until=datetime(2026, 3, 14))

    def test_a_marketplace_that_does_not_exist_is_named(self) -> None:
        seller = Seller("x", "eu", ("DE", "ZZ"), "id", "secret", "token", "AX")
        with pytest.raises(ValueError, match="'ZZ'.*DE"):
            small(sellers=[seller])

    def test_every_marketplace_can_be_sold_in(self) -> None:
        seller = Seller("everywhere", "eu", tuple(SITES), "id", "secret", "token", "AX")
        sold = small(sellers=[seller], days=30).orders["everywhere", "eu"]
        assert {order["salesChannel"]["marketplaceId"] for order in sold} == {
            site.marketplace_id for site in SITES.values()
        }

    def test_without_orders_there_is_still_mail_about_the_account(self) -> None:
        quiet = small(orders_per_day=0)
        assert not any(quiet.orders.values())
        assert {letter.kind for letter in quiet.truth.values()} >= {"amazon_information", "case_update", "unknown"}


class TestOrders:
    @pytest.fixture(scope="class")
    def orders(self, world: World) -> list[dict[str, Any]]:
        return [order for orders in world.orders.values() for order in orders]

    def test_each_has_the_shape_of_amazons_model(self, orders: list[dict[str, Any]], repository: Path) -> None:
        model = json.loads((repository / "include/sandbox/spapi_models/orders_2026-01-01.json").read_text())
        for definition in model["definitions"].values():
            if "properties" in definition:
                definition["additionalProperties"] = False  # a misspelt field is no field
        schema = {"$ref": "#/definitions/Order", "definitions": model["definitions"]}
        validator = jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())
        assert len(orders) == 30 * 12 * 3
        assert [error.message for order in orders for error in validator.iter_errors(order)] == []

    def test_ids_are_unique_and_say_nothing_of_the_marketplace(self, orders: list[dict[str, Any]]) -> None:
        assert all(re.fullmatch(r"\d{3}-\d{7}-\d{7}", order["orderId"]) for order in orders)
        assert len({order["orderId"] for order in orders}) == len(orders)
        marketplaces = defaultdict(set)
        for order in orders:
            marketplaces[order["orderId"][:3]].add(order["salesChannel"]["marketplaceId"])
        assert all(len(ids) > 3 for ids in marketplaces.values())

    def test_they_are_in_every_state(self, orders: list[dict[str, Any]]) -> None:
        states = Counter(
            (order["fulfillment"]["fulfillmentStatus"], order["fulfillment"]["fulfilledBy"]) for order in orders
        )
        assert {status for status, _ in states} == {"PENDING", "UNSHIPPED", "SHIPPED", "CANCELLED"}
        assert states["UNSHIPPED", "MERCHANT"] > 5
        assert states["SHIPPED", "AMAZON"] > 100

    def test_some_are_late_to_ship(self, orders: list[dict[str, Any]]) -> None:
        waiting = [order["fulfillment"] for order in orders if order["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"]
        due = [f["shipByWindow"]["latestDateTime"] for f in waiting if f["fulfilledBy"] == "MERCHANT"]
        assert any(at < UNTIL.isoformat() for at in due)
        assert any(at > UNTIL.isoformat() for at in due)

    def test_pending_ones_say_nothing_of_buyer_and_money(self, orders: list[dict[str, Any]]) -> None:
        pending = [order for order in orders if order["fulfillment"]["fulfillmentStatus"] == "PENDING"]
        assert pending
        assert not any(order.keys() & {"buyer", "recipient", "proceeds", "payment"} for order in pending)

    def test_only_seller_fulfilled_ones_show_the_alias(self, orders: list[dict[str, Any]]) -> None:
        for order in orders:
            address = order.get("buyer", {}).get("buyerEmail")
            if order["fulfillment"]["fulfilledBy"] == "AMAZON":
                assert address is None
            elif "buyer" in order:
                assert re.fullmatch(r"[a-z0-9]{12,14}@marketplace\.amazon\.[a-z.]+", address)

    def test_nothing_is_later_than_the_end(self, orders: list[dict[str, Any]]) -> None:
        end = UNTIL.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert all(order["createdTime"] <= order["lastUpdatedTime"] <= end for order in orders)

    def test_yen_have_no_decimals(self, world: World) -> None:
        amounts = [order["proceeds"]["grandTotal"] for order in world.orders["kirschblut", "fe"] if "proceeds" in order]
        assert all(("." in money["amount"]) == (money["currencyCode"] != "JPY") for money in amounts)


class TestBehaviour:
    """What people did, told from the truth alone."""

    @pytest.fixture(scope="class")
    def talks(self, world: World) -> list[list[Letter]]:
        """Messages of each order in the order of writing, machines left out."""
        by_order: dict[str, list[Letter]] = defaultdict(list)
        for letter in sorted(world.truth.values(), key=lambda letter: letter.sent_at):
            if letter.kind in ("buyer_message", "reply_copy") and letter.order_id and not letter.is_automatic:
                by_order[letter.order_id].append(letter)
        return list(by_order.values())

    def test_every_kind_of_mail_comes(self, world: World) -> None:
        assert {letter.kind for letter in world.truth.values()} == KINDS

    def test_messages_wait_fresh_at_risk_and_breached(self, talks: list[list[Letter]]) -> None:
        waiting = [UNTIL - talk[-1].sent_at for talk in talks if talk[-1].kind == "buyer_message"]
        assert sum(age < 20 * HOUR for age in waiting) >= 3
        assert sum(20 * HOUR < age < 24 * HOUR for age in waiting) >= 3
        assert sum(age > 24 * HOUR for age in waiting) >= 3

    def test_most_replies_are_in_time_and_some_late(self, world: World) -> None:
        hours = [
            (reply.sent_at - world.truth[reply.answers].sent_at) / HOUR
            for reply in world.truth.values()
            if reply.kind == "reply_copy" and reply.answers in world.truth
        ]
        late = sum(each > 24 for each in hours)
        assert 0.03 < late / len(hours) < 0.25
        assert min(hours) >= 0

    def test_some_tickets_are_reopened_before_and_after_a_week_of_silence(self, talks: list[list[Letter]]) -> None:
        pauses = [
            later.sent_at - earlier.sent_at
            for talk in talks
            for earlier, later in zip(talk, talk[1:], strict=False)
            if earlier.kind == "reply_copy" and later.kind == "buyer_message"
        ]
        assert sum(pause < 168 * HOUR for pause in pauses) > 5
        assert sum(pause > 168 * HOUR for pause in pauses) > 2

    def test_some_fell_silent_more_than_a_week_ago(self, talks: list[list[Letter]]) -> None:
        assert sum(talk[-1].kind == "reply_copy" and UNTIL - talk[-1].sent_at > 168 * HOUR for talk in talks) > 10

    def test_some_replies_arrive_before_the_question(self, world: World) -> None:
        early = [
            letter
            for letter in world.truth.values()
            if letter.kind == "reply_copy"
            and letter.answers in world.truth
            and letter.received_at < world.truth[letter.answers].received_at
        ]
        assert early

    def test_some_copies_come_hours_after_they_were_sent(self, world: World) -> None:
        copies = [letter for letter in world.truth.values() if letter.kind == "reply_copy"]
        assert sum(letter.received_at - letter.sent_at > HOUR / 2 for letter in copies) > 5

    def test_some_ask_before_buying(self, world: World) -> None:
        questions = [letter for letter in world.truth.values() if letter.kind == "buyer_message"]
        assert sum(letter.order_id is None for letter in questions) > 5

    def test_machines_answer_too(self, world: World) -> None:
        machines = Counter(letter.kind for letter in world.truth.values() if letter.is_automatic)
        assert machines["buyer_message"] > 0
        assert machines["reply_copy"] > 0

    def test_a_delivery_failure_names_the_reply_it_undoes(self, world: World) -> None:
        failures = [x for x in world.truth.values() if x.kind in ("delivery_failure", "buyer_opted_out")]
        assert failures
        named = [world.truth[letter.answers] for letter in failures if letter.answers in world.truth]
        assert {letter.kind for letter in named} == {"reply_copy"}

    def test_feedback_has_one_to_three_stars(self, world: World) -> None:
        ratings = {letter.rating for letter in world.truth.values() if letter.kind == "feedback_notice"}
        assert ratings == {1, 2, 3}

    def test_now_and_then_a_mail_comes_twice(self, world: World) -> None:
        assert 0 < len(world.mails) - len(world.truth) < len(world.truth) / 20

    def test_orders_in_the_mail_are_orders_at_amazon(self, world: World) -> None:
        known = {order["orderId"] for orders in world.orders.values() for order in orders}
        assert {letter.order_id for letter in world.truth.values() if letter.order_id} <= known


class TestMail:
    def test_it_is_in_order_of_arrival_and_never_later_than_the_end(self, world: World) -> None:
        received = [mail.received_at for mail in world.mails]
        assert received == sorted(received)
        assert received[-1] <= UNTIL
        assert all(letter.sent_at <= letter.received_at for letter in world.truth.values())

    def test_what_was_meant_stands_in_the_mail(self, read: list[Read]) -> None:
        for each in read:
            assert each.mail["Date"].datetime == each.meant.sent_at
            if each.meant.kind in ("buyer_message", "reply_copy", "unknown"):
                assert all(flat(each.meant.words) in flat(text) for text in each.texts)

    def test_order_ids_stand_in_the_mail_unless_it_copies_a_reply(self, read: list[Read]) -> None:
        missing = [
            each.meant
            for each in read
            if each.meant.order_id and each.meant.order_id not in each.mail["Subject"] + "".join(each.texts)
        ]
        assert {letter.kind for letter in missing if not letter.is_automatic} == {"reply_copy"}

    def test_nothing_in_it_is_malformed(self, read: list[Read]) -> None:
        assert [part.defects for each in read for part in each.mail.walk() if part.defects] == []

    def test_it_comes_in_many_encodings_and_languages(self, read: list[Read]) -> None:
        parts = [part for each in read for part in each.mail.walk()]
        assert {part.get_content_charset() for part in parts} >= {"utf-8", "iso-8859-1", "iso-2022-jp"}
        encodings = {part["Content-Transfer-Encoding"] for part in parts}
        assert encodings >= {"quoted-printable", "base64", "7bit"}
        subjects = " ".join(each.mail["Subject"] for each in read)
        for words in ("Inquiry from", "Anfrage von", "Demande de", "Richiesta di", "Pregunta del", "お問い合わせ"):
            assert words in subjects

    def test_copies_of_replies_have_no_text_part(self, read: list[Read]) -> None:
        copies = [each.mail for each in read if each.meant.kind == "reply_copy"]
        assert {mail.get_content_type() for mail in copies} == {"text/html"}

    def test_some_messages_have_a_photo(self, read: list[Read]) -> None:
        mixed = [each.mail for each in read if each.mail.get_content_type() == "multipart/mixed"]
        assert any(part.get_content_type() == "image/png" for mail in mixed for part in mail.iter_attachments())

    def test_only_imitations_fail_authentication(self, read: list[Read]) -> None:
        for each in read:
            verdicts = each.mail.get_all("Authentication-Results", [])
            if not verdicts:
                assert each.meant.kind == "delivery_failure"
                continue
            assert verdicts[0].startswith("mx.shop.example;")  # ours is on top, whatever stands below
            sender = each.mail["From"].addresses[0].domain.removeprefix("marketplace.")
            verdict = "fail" if each.meant.kind == "imitation" else "pass"
            assert f"dkim={verdict} header.d={sender};" in verdicts[0]

    def test_most_have_the_notification_type(self, read: list[Read]) -> None:
        questions = [each.mail for each in read if each.meant.kind == "buyer_message"]
        named = sum(mail["X-Space-Notification-Type"] == "BBC_MESSAGE_SENT_TO_MERCHANT" for mail in questions)
        assert 0.7 < named / len(questions) < 1

    def test_no_real_domain_but_amazons(self, read: list[Read]) -> None:
        amazons = tuple(f".{domain}" for domain in [*(site.domain for site in SITES.values()), "amazonses.com"])
        places = re.compile(r"(?:@|https?://|header\.d=|smtp\.mailfrom=)([\w.-]+\w)")
        found = {place for each in read for text in (each.head, *each.texts) for place in places.findall(text)}
        assert {place for place in found if not f".{place}".endswith((".example", *amazons))} == set()
