"""The support pages, served by Airflow's api-server."""

from amazon_support.web.app import app

__all__ = ["app"]
