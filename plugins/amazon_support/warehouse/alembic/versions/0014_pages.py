"""What pages search by, and who looked at personal data."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0014_pages.sql"))
