"""Settings: what a support lead may change, read from YAML and checked at start."""

from amazon_support.settings.assignment import Agent, Assignment
from amazon_support.settings.base import Desk
from amazon_support.settings.desk_files import DeskFiles, DeskFolder, DeskFormat
from amazon_support.settings.load import SettingsError, home, load, load_file
from amazon_support.settings.models import (
    Account,
    AccountMarketplace,
    Mailbox,
    Marketplace,
    Policy,
    Region,
    Settings,
)
from amazon_support.settings.service_levels import ServiceLevels

__all__ = [
    "Account",
    "AccountMarketplace",
    "Agent",
    "Assignment",
    "Desk",
    "DeskFiles",
    "DeskFolder",
    "DeskFormat",
    "Mailbox",
    "Marketplace",
    "Policy",
    "Region",
    "ServiceLevels",
    "Settings",
    "SettingsError",
    "home",
    "load",
    "load_file",
]
