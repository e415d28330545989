"""Comments on the oldest tables."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0026_comments.sql"))
