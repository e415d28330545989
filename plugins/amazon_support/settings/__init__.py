"""Settings: what a support lead may change, read from YAML and checked at start."""

from amazon_support.settings.load import SettingsError, home, load, load_file
from amazon_support.settings.models import (
    Account,
    AccountMarketplace,
    Agent,
    Desk,
    Mailbox,
    Marketplace,
    Policy,
    Region,
    Settings,
)

__all__ = [
    "Account",
    "AccountMarketplace",
    "Agent",
    "Desk",
    "Mailbox",
    "Marketplace",
    "Policy",
    "Region",
    "Settings",
    "SettingsError",
    "home",
    "load",
    "load_file",
]
