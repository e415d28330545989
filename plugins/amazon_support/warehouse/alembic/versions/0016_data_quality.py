"""Quarantine that can be worked, and results that say what was observed and expected."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0016_data_quality.sql"))
