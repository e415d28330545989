"""Indexes for what the pages ask; the timeline of one ticket without a look at the others."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0031"
down_revision = "0029"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0031_pages_at_size.sql"))
