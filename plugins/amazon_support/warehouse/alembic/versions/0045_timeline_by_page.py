"""The timeline of a ticket is cut to a page before it is looked up what each activity brought about."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0045_timeline_by_page.sql"))
