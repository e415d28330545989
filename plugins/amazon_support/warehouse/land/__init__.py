"""Landing and publishing: what a source brought becomes one batch; checked batches become facts."""

from amazon_support.warehouse.land.mail import MailRow, land_mail, publish_mail
from amazon_support.warehouse.land.orders import land_orders, publish_orders

__all__ = ["MailRow", "land_mail", "land_orders", "publish_mail", "publish_orders"]
