"""The pages as a visitor's browser asks for them."""

from visitors import browser

__all__ = ["browser"]
