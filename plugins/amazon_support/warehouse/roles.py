"""Roles of the warehouse: who may read what. See docs/privacy.md."""

from sqlalchemy import Connection

from amazon_support.warehouse.engine import WarehouseError
from amazon_support.warehouse.steps import sql_text

ROLES = {
    "support_reader": "reads answers and facts without personal data (mart, core), nothing else: for BI tools",
    "support_pages": "reads everything, writes what people do on the support pages",
    "support_writer": "reads and writes everything, changes no schema: for Airflow's workers",
}


def statements() -> str:
    """SQL that makes the roles and gives them their rights; safe to repeat."""
    return sql_text("ops/roles.sql")


def make_roles(connection: Connection) -> None:
    """Makes the roles and gives them their rights, in the caller's transaction.

    Raises: WarehouseError if the user of the connection may not.
    """
    try:
        connection.connection.cursor().execute(statements())
    except Exception as error:
        if getattr(error, "sqlstate", None) != "42501":  # insufficient_privilege
            raise
        raise WarehouseError(
            "The warehouse's user may not make roles: let an administrator run what `db roles --sql` prints, as the "
            "owner of the schemas."
        ) from error
