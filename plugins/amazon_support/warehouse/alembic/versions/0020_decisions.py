"""What people decide of mail; follow-up tickets that people open; black-listed buyers."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0020_decisions.sql"))
