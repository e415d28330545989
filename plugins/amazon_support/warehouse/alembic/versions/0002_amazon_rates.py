"""Rates of Amazon's operations, calls, rows that could not be landed."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0002_amazon_rates.sql"))
