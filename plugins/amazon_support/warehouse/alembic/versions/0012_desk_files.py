"""What agents did in their desks, as exports tell."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0012_desk_files.sql"))
