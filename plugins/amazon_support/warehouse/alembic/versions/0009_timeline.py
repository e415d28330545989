"""The activity history of tickets."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0009_timeline.sql"))
