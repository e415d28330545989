"""Everybody's list and an agent's tickets are read by index."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0046_lists_by_index.sql"))
