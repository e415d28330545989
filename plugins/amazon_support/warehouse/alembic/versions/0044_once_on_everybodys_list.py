"""Everybody's list is read without looking at each agent's."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0044_once_on_everybodys_list.sql"))
