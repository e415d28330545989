"""Data quality: what landed rows must be like, how sources and answers must stand, and what happens if they do not."""

import os

from amazon_support.quality.check import BatchVerdict, check, rejections
from amazon_support.quality.gx import QualityError
from amazon_support.quality.standing import DAILY, HOURLY, StandingResult, check_standing

# Great Expectations sends no usage data. It reads this when it is imported, which no module does before this one.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

__all__ = [
    "DAILY",
    "HOURLY",
    "BatchVerdict",
    "QualityError",
    "StandingResult",
    "check",
    "check_standing",
    "rejections",
]
