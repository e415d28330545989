"""What is to do at an instant is found by index."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0025_worklists_by_index.sql"))
