"""Which spans of time were pulled; results of standing checks with their cause."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0019"
down_revision = "0017"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0019_standing_checks.sql"))
