"""Seller feedback."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0004_feedback.sql"))
