"""Mailboxes and desks say how far they are read."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0035"
down_revision = "0040"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0035_read_until.sql"))
