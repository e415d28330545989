"""Compliance by day and month; response times beside Amazon's."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0011_compliance.sql"))
