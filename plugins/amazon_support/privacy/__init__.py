"""Personal data of buyers: removed in time, erased and shown on request, with a record; see docs/privacy.md."""

from amazon_support.privacy.erasure import Buyer, erase, find_buyer
from amazon_support.privacy.held import held, last_removal, record_of
from amazon_support.privacy.on_request import export
from amazon_support.privacy.removal import PrivacyError, Removed, due, remove

__all__ = [
    "Buyer",
    "PrivacyError",
    "Removed",
    "due",
    "erase",
    "export",
    "find_buyer",
    "held",
    "last_removal",
    "record_of",
    "remove",
]
