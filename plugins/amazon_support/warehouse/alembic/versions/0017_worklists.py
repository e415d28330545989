"""Worklists of teams, desks and marketplaces, reasons in any language, files attached to messages."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0017_worklists.sql"))
