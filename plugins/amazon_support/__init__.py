"""Customer-support pipeline for Amazon sellers: facts in, answers derived."""

__version__ = "0.1.0"
