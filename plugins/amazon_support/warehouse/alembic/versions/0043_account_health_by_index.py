"""How accounts do is read of indexes."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0043_account_health_by_index.sql"))
