"""Tickets, their status and their service-level clocks: derived in SQL from the recorded events."""

from amazon_support.tickets.as_of import clock_as_of, status_as_of
from amazon_support.tickets.assign import AssignCounts, assign
from amazon_support.tickets.calendars import CalendarError
from amazon_support.tickets.clocks import Promises, know_hours_until
from amazon_support.tickets.fold import FoldCounts, fold, fold_all
from amazon_support.tickets.replay import ReplayError

__all__ = [
    "AssignCounts",
    "CalendarError",
    "FoldCounts",
    "Promises",
    "ReplayError",
    "assign",
    "clock_as_of",
    "fold",
    "fold_all",
    "know_hours_until",
    "status_as_of",
]
