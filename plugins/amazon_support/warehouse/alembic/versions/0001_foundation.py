"""Schemas and tables of the walking skeleton."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0001_foundation.sql"))
