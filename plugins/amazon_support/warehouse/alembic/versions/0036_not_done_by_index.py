"""What is not done is read of indexes alone."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0036_not_done_by_index.sql"))
