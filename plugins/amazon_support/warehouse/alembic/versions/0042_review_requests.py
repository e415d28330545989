"""That buyers were asked for a review, as exports of desks tell."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0042_review_requests.sql"))
