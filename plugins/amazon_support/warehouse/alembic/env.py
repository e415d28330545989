"""Alembic's entry: runs on the connection that migrate.upgrade() holds."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table_schema="public")
context.run_migrations()
