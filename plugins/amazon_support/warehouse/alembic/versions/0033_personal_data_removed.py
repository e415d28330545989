"""Personal data is removed, and the removal recorded."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0033"
down_revision = "0031"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0033_personal_data_removed.sql"))
