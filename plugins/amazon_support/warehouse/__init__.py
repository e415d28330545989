"""The warehouse: one PostgreSQL, reached through one engine; SQL steps are files under include/sql."""

from amazon_support.warehouse.engine import WarehouseError, connect, engine
from amazon_support.warehouse.steps import each_row, read_step, read_steps, run_step, sql_text

__all__ = ["WarehouseError", "connect", "each_row", "engine", "read_step", "read_steps", "run_step", "sql_text"]
