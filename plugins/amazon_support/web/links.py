"""Where a ticket can be worked on outside these pages."""

from collections.abc import Iterator
from typing import Any

from amazon_support.settings import Settings

# Pages of Seller Central by type of ticket; as include/sql/marts/worklist_fill.sql has them.
OF_TYPES = {
    "negative_feedback": ("Feedback manager", "/feedback-manager/index.html"),
    "neutral_feedback": ("Feedback manager", "/feedback-manager/index.html"),
    "a_to_z_claim": ("A-to-z claims", "/gp/a-z-guarantee.html"),
    "performance_notification": ("Performance notifications", "/performance/notifications"),
}


def links(current: Settings, ticket: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(words, address) of each page, the one where it is answered first; none of a marketplace that is not known."""
    site = current.by_country.get(ticket["marketplace"] or "")
    account = next((each for each in current.accounts if each.name == ticket["account"]), None)
    if not site or not account:
        return
    host = f"https://{site.seller_central}"
    case = ticket["case_id"] if (ticket["case_id"] or "").replace("-", "").isalnum() else None
    if ticket["ticket_type"] == "case_update":
        path = f"/cu/case-dashboard/view-case?caseID={case}" if case else "/cu/case-lobby"
        yield "Case in Seller Central", host + path
    elif ticket["ticket_type"] in OF_TYPES:
        words, path = OF_TYPES[ticket["ticket_type"]]
        yield f"{words} in Seller Central", host + path
    elif current.desk(account, site.country) == "bqool":
        yield "Answer in BQool", current.policy.bqool_page
    else:
        found = f"?fi=caseId&ss={case}&cc={case}" if case else ""
        yield "Answer in Seller Central", f"{host}/messaging/inbox{found}"
    if ticket["order_id"]:
        yield "Order in Seller Central", f"{host}/orders-v3/order/{ticket['order_id']}"
