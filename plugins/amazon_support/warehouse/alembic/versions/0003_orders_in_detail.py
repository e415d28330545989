"""Orders with packages, taxes and promotions; rows of the all-orders report."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0003_orders_in_detail.sql"))
