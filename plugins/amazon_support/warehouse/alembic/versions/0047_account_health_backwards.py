"""What an account's figure was before is read backwards."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0047_account_health_backwards.sql"))
