"""Tells Airflow about the connection type amazon_sp_api, so that its form has the right fields."""

from typing import Any

import amazon_support


def get_provider_info() -> dict[str, Any]:
    """Provider metadata, read by Airflow through the entry point `apache_airflow_provider`."""
    text = {"type": ["string", "null"]}
    secret = {"type": ["string", "null"], "format": "password"}
    return {
        "package-name": "amazon-support-pipeline",
        "name": "Amazon support",
        "description": "Amazon Selling Partner API for the support pipeline",
        "versions": [amazon_support.__version__],
        "connection-types": [
            {
                "connection-type": "amazon_sp_api",
                "hook-class-name": "amazon_support.orchestration.hooks.AmazonSpApiHook",
                "hook-name": "Amazon Selling Partner API",
                "conn-fields": {
                    "refresh_token": {"label": "Refresh token", "schema": secret},
                    "client_id": {"label": "Client id (LWA)", "schema": text},
                    "client_secret": {"label": "Client secret (LWA)", "schema": secret},
                    "region": {"label": "Region", "schema": {"type": "string", "enum": ["na", "eu", "fe"]}},
                    "endpoint": {"label": "Endpoint (optional)", "schema": text},
                    "token_url": {"label": "Token URL (optional)", "schema": text},
                },
                "ui-field-behaviour": {
                    "hidden-fields": ["host", "port", "schema", "login", "password"],
                    "relabeling": {},
                    "placeholders": {},
                },
            }
        ],
    }
