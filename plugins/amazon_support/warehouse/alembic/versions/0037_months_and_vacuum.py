"""Worklists are divided by month; vacuum keeps up with big tables."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0037_months_and_vacuum.sql"))
