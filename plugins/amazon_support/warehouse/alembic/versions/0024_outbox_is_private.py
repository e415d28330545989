"""The outbox is among the personal data."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0024"
down_revision = "0020"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0024_outbox_is_private.sql"))
