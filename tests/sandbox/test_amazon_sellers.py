"""The sellers API, and the table of Amazon's sites behind it."""

from amazon_builders import REGIONS, running, seller, world
from sp_api.base import Marketplaces

from sandbox.amazon_marketplaces import MARKETPLACES


def test_a_seller_takes_part_in_the_marketplaces_of_its_region() -> None:
    with running(world(sellers=(seller("eu"), seller("na")))) as amazon:
        for region, caller in (("eu", amazon), ("na", amazon.other(seller("na")))):
            entries = caller.get("/sellers/v1/marketplaceParticipations").json()["payload"]
            assert [e["marketplace"]["id"] for e in entries] == [MARKETPLACES[c].id for c in REGIONS[region]]
            account = caller.get("/sellers/v1/account").json()["payload"]
            assert account["marketplaceParticipationList"] == entries


def test_the_united_kingdom_has_its_iso_code() -> None:
    with running(world()) as amazon:
        entries = amazon.get("/sellers/v1/marketplaceParticipations").json()["payload"]
    assert [(e["marketplace"]["countryCode"], e["marketplace"]["name"]) for e in entries] == [
        ("DE", "Amazon.de"),
        ("GB", "Amazon.co.uk"),
    ]


def test_ids_and_regions_are_those_that_the_client_library_knows() -> None:
    known = {name: (place.marketplace_id, place.endpoint) for name, place in Marketplaces.__members__.items()}
    ours = {
        short: (site.id, f"https://sellingpartnerapi-{site.region}.amazon.com") for short, site in MARKETPLACES.items()
    }
    assert {name: known[name] for name in ours} == ours
    assert len({site.id for site in MARKETPLACES.values()}) == len(MARKETPLACES)
