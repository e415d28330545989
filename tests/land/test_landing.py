"""What a source brings lands as one batch, whole, with personal data apart."""

import math

import pytest
from landing import ALIAS, BUYER_KEY, ORDER, everything_in, item, land_some_mail, land_some_orders, mail, order, rows
from sqlalchemy import Connection

from amazon_support.warehouse.land.mail import buyer_name_key, buyer_ref


def test_a_pull_is_one_batch_with_its_window(connection: Connection) -> None:
    batch_id = land_some_orders(connection, order(), order("302-1234567-7654321"))
    assert rows(
        connection,
        "select batch_id, dataset, account, scope, row_count, window_end - window_start = interval '1 hour', "
        "checked_at, published_at from ops.batch",
    ) == [(batch_id, "orders", "main", "eu", 2, True, None, None)]
    assert rows(connection, "select count(*) from raw.order_received") == [(2,)]


def test_personal_data_is_kept_apart_or_not_at_all(connection: Connection) -> None:
    gift = {"packing": {"giftOption": {"giftMessage": "Alles Gute, deine Oma Erna"}}}
    land_some_orders(
        connection,
        order(
            payment={"paymentExecutions": [{"authorizationCode": "SECRET-77"}]},
            tax={"taxRegistrations": [{"legalName": "Muster GmbH"}]},
            packages=[{"shipTime": "2026-03-09T10:00:00Z", "shipFromAddress": {"city": "Lagerstadt"}}],
            orderItems=[item("1", fulfillment=gift, product={"customization": {"customizedUrl": "https://x.example"}})],
        ),
    )
    outside = everything_in(connection, "raw", "core", "ops")
    for private in ("Muster", ALIAS, "Oma Erna", "SECRET-77", "x.example", "Lagerstadt"):
        assert private not in outside
    assert rows(connection, "select payload ->> 'shipCountry' from raw.order_received") == [("DE",)]
    assert rows(
        connection,
        "select payload #>> '{buyer, buyerName}', payload #>> '{recipient, deliveryAddress, addressLine1}' "
        "from pii.order_received",
    ) == [("Mia Muster", "Musterweg 7")]
    assert "SECRET-77" not in everything_in(connection, "pii")


def test_of_an_order_that_came_twice_the_newest_is_kept(connection: Connection) -> None:
    older, newest = order(lastUpdatedTime="2026-03-10T11:00:00+01:00"), order(lastUpdatedTime="2026-03-10T10:30:00Z")
    land_some_orders(connection, older, newest, older)
    assert rows(connection, "select payload ->> 'lastUpdatedTime' from raw.order_received") == [
        ("2026-03-10T10:30:00Z",)
    ]


@pytest.mark.parametrize("nonsense", [None, "", 5, ["x"]])
def test_orders_without_an_id_land_under_keys_of_their_own(connection: Connection, nonsense: object) -> None:
    land_some_orders(connection, order(None) | {"orderId": nonsense}, order(), "not an order", order(None))
    assert rows(connection, "select order_id from raw.order_received order by 1") == [
        (ORDER,),
        ("?1",),
        ("?2",),
        ("?3",),
    ]


def test_what_the_database_cannot_hold_does_not_stop_the_rest(connection: Connection) -> None:
    land_some_orders(
        connection,
        order(orderItems=[item("1", math.nan, product={"title": "Tea\0pot \ud83d half \\u0000"})]),
        order("302-1234567-7654321", recipient="nobody", packages=7, orderItems=None),
    )
    assert rows(
        connection, "select payload #>> '{orderItems, 0, product, title}' from raw.order_received order by order_id"
    ) == [("Teapot ? half \\u0000",), (None,)]


def test_a_mail_that_came_twice_lands_once(connection: Connection) -> None:
    land_some_mail(connection, mail("a"), mail("b"), mail("a"))
    assert rows(connection, "select dataset, scope, row_count, window_end from ops.batch") == [
        ("mail", "imap_default", 2, None)
    ]
    assert rows(connection, "select count(*) from pii.mail_received") == [(2,)]


def test_an_empty_pull_lands_as_an_empty_batch(connection: Connection) -> None:
    land_some_orders(connection)
    assert rows(connection, "select row_count from ops.batch") == [(0,)]


def test_a_buyer_is_told_by_the_alias_whatever_its_case_and_conversation() -> None:
    reference = buyer_ref(ALIAS, BUYER_KEY)
    assert reference and len(reference) == 16
    assert buyer_ref("ABC123def456+1f2e3d4c@marketplace.amazon.de", BUYER_KEY) == reference
    assert buyer_ref(ALIAS, "another key") != reference
    assert buyer_ref("other@marketplace.amazon.de", BUYER_KEY) != reference


def test_an_alias_shared_by_many_names_no_buyer() -> None:
    assert buyer_ref("no-reply-amazon-iba-buyer@marketplace.amazon.de", BUYER_KEY) is None
    assert buyer_ref(None, BUYER_KEY) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("José  Núñez", "jose nunez"), ("JÜRGEN GROSS", "Jürgen Groß"), ("ガスト", "カ\u3099スト"), (" ", None)],
)
def test_names_are_the_same_whatever_their_case_accents_and_spaces(one: str, other: str | None) -> None:
    assert buyer_name_key(one) == buyer_name_key(other)
