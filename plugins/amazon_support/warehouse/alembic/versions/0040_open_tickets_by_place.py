"""What is not done in a marketplace, or of a type, is read of the index alone."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0040_open_tickets_by_place.sql"))
