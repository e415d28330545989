"""`python -m amazon_support`."""

from amazon_support.cli import main

main()
