"""Rules that people make for mail, and views of pages that they keep."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0029"
down_revision = "0027"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0029_mail_rules_and_views.sql"))
