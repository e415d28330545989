"""Policies, calendars and clocks of every metric."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0007_service_levels.sql"))
