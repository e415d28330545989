"""Account health."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0005_account_health.sql"))
