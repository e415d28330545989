"""Airflow's entry to the support pages: where they are served, and their place in the navigation."""

from airflow.plugins_manager import AirflowPlugin

from amazon_support.web import app


class SupportDesk(AirflowPlugin):
    """The support pages, under /support, also within Airflow's own."""

    name = "support_desk"
    fastapi_apps = [{"app": app, "url_prefix": "/support", "name": "Support desk"}]
    external_views = [{"name": "Support", "href": "/support/worklist", "destination": "nav", "url_route": "support"}]
