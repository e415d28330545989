"""Landing and publishing: what a source brought becomes one batch; checked batches become facts."""

from collections.abc import Callable

from sqlalchemy import Connection

from amazon_support.settings import Settings
from amazon_support.warehouse.land.account_health import (
    land_account_health,
    land_contact_response,
    publish_account_health,
)
from amazon_support.warehouse.land.desk_actions import DeskActionRow, land_desk_actions, publish_desk_actions
from amazon_support.warehouse.land.feedback import FeedbackRow, land_feedback, publish_feedback
from amazon_support.warehouse.land.mail import (
    MailRow,
    land_mail,
    land_reread,
    publish_decided,
    publish_mail,
    publish_reread,
)
from amazon_support.warehouse.land.order_report import land_order_report, publish_order_report
from amazon_support.warehouse.land.orders import land_orders, publish_orders

# What turns the checked batches of a dataset into facts.
PUBLISH: dict[str, Callable[[Connection, Settings], int]] = {
    "orders": publish_orders,
    "order_report": publish_order_report,
    "mail": publish_mail,
    "mail_reread": publish_reread,
    "feedback": publish_feedback,
    "account_health": publish_account_health,
    "desk_action": publish_desk_actions,
}

__all__ = [
    "PUBLISH",
    "DeskActionRow",
    "FeedbackRow",
    "MailRow",
    "land_account_health",
    "land_contact_response",
    "land_desk_actions",
    "land_feedback",
    "land_mail",
    "land_order_report",
    "land_orders",
    "land_reread",
    "publish_account_health",
    "publish_decided",
    "publish_desk_actions",
    "publish_feedback",
    "publish_mail",
    "publish_order_report",
    "publish_orders",
    "publish_reread",
]
