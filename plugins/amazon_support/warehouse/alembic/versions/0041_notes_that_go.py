"""What says that a list was made and sent goes with the lists."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0041_notes_that_go.sql"))
