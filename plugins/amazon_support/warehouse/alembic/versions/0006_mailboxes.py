"""Mailboxes: since when an account is live, and mail that a server did not give."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0006_mailboxes.sql"))
