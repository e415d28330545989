"""What every DAG of this project has in common."""

from datetime import timedelta
from enum import StrEnum
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, Param, RetryAction, RetryRule


class Tag(StrEnum):
    """The tags a DAG may carry."""

    SUPPORT = "amazon-support"
    HOURLY = "hourly"
    DAILY = "daily"
    HISTORY = "history"


class Pool(StrEnum):
    """The pools a task may name; include/settings/pools.json makes them."""

    AMAZON = "amazon_api"
    MAILBOXES = "mailboxes"
    WAREHOUSE = "warehouse"


_ERRORS = "amazon_support.sources.errors."

# "Wait" and "give up" are different answers: a revoked token is not worth three attempts.
RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=_ERRORS + "BadCredentials", action=RetryAction.FAIL, reason="a person must act"),
        RetryRule(
            exception="amazon_support.settings.load.SettingsError",
            action=RetryAction.FAIL,
            reason="correct the setting",
        ),
        RetryRule(
            exception="amazon_support.orchestration.tasks.RunFailed",
            action=RetryAction.FAIL,
            reason="the verdict on the run stands; only a summary that died is made again",
        ),
        RetryRule(exception=_ERRORS + "Throttled", retry_delay=timedelta(minutes=5), reason="Amazon asks to wait"),
    ]
)

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "support",
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=15),
    "retry_policy": RETRY_POLICY,
    "execution_timeout": timedelta(minutes=30),
    "pool": Pool.WAREHOUSE.value,
}

_MOMENT: dict[str, Any] = {"type": ["null", "string"], "format": "date-time"}
WINDOW_PARAMS = {
    "window_start": Param(None, **_MOMENT, description="Start of the window, for manual runs"),
    "window_end": Param(None, **_MOMENT, description="End of the window, for manual runs"),
}
