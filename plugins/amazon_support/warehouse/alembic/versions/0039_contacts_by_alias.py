"""Contacts without an alias are in no index of aliases."""

from alembic import op

from amazon_support.warehouse.steps import sql_text

revision = "0039"
down_revision = "0037"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(sql_text("migrations/0039_contacts_by_alias.sql"))
