"""Tickets that close, merge and change what they are about."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0008_tickets.sql"))
