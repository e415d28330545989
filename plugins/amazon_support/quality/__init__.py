"""Data quality: what landed rows must be like, and what happens to those that are not."""

from amazon_support.quality.check import BatchVerdict, check, rejections
from amazon_support.quality.gx import QualityError

__all__ = ["BatchVerdict", "QualityError", "check", "rejections"]
