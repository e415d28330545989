"""Which rows broke a rule that only warns."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0027_warned_rows.sql"))
