"""Due instants in business hours, found by index."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0013_business_due.sql"))
