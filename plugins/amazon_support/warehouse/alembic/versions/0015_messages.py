"""Messages to people: channels, a hold on sending, alerts with a ladder, acknowledgements."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0015_messages.sql"))
