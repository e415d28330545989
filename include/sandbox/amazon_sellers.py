"""Sellers API v1: where the seller takes part, and the account itself."""

from typing import Any

from sandbox.amazon_call import Call, Handler
from sandbox.amazon_marketplaces import MARKETPLACES
from sandbox.world import Seller


def participations(call: Call) -> dict[str, Any]:
    return {"payload": _participations(call.seller)}


def account(call: Call) -> dict[str, Any]:
    name = _store(call.seller)
    first = MARKETPLACES[call.seller.marketplaces[0]]
    return {
        "payload": {
            "businessType": "PRIVATE_LIMITED",
            "sellingPlan": "PROFESSIONAL",
            "business": {
                "name": f"{name} Ltd",
                "registeredBusinessAddress": {"addressLine1": "1 Example Street", "countryCode": first.country},
            },
            "marketplaceParticipationList": _participations(call.seller),
        }
    }


HANDLERS: dict[str, Handler] = {"getMarketplaceParticipations": participations, "getAccount": account}


def _participations(seller: Seller) -> list[dict[str, Any]]:
    return [_participation(seller, short) for short in seller.marketplaces]


def _participation(seller: Seller, short: str) -> dict[str, Any]:
    site = MARKETPLACES[short]
    return {
        "marketplace": {
            "id": site.id,
            "name": site.name,
            "countryCode": site.country,
            "defaultCurrencyCode": site.currency,
            "defaultLanguageCode": site.language,
            "domainName": site.domain,
        },
        "participation": {"isParticipating": True, "hasSuspendedListings": False},
        "storeName": _store(seller),
    }


def _store(seller: Seller) -> str:
    return f"{seller.account.replace('_', ' ').title()} Store"
