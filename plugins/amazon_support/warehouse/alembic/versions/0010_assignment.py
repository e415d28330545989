"""Who has which ticket, and why."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0010_assignment.sql"))
