"""The reference pages say what is so: made anew they are the same."""

import importlib.util
from types import ModuleType

import pytest
from sqlalchemy import Engine, text

from amazon_support.settings import home

SCHEMAS = ("raw", "core", "mart", "ops", "pii")


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", home() / "docs" / "make_reference.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_settings_are_as_the_page_says(reference: ModuleType) -> None:
    assert reference.settings_reference() == (home() / "docs" / "settings.md").read_text(), "make reference"


def test_tables_are_as_the_page_says(reference: ModuleType, module_warehouse: Engine) -> None:
    url = module_warehouse.url.render_as_string(hide_password=False)
    assert reference.data_dictionary(url) == (home() / "docs" / "data.md").read_text(), "make reference"


def test_every_table_says_what_it_holds(module_warehouse: Engine) -> None:
    silent = """
        select nspname || '.' || relname from pg_class
        inner join pg_namespace on pg_namespace.oid = relnamespace
        where nspname = any(:schemas) and relkind in ('r', 'p', 'v', 'm') and not relispartition
          and obj_description(pg_class.oid) is null
    """
    with module_warehouse.connect() as connection:
        assert connection.execute(text(silent), {"schemas": list(SCHEMAS)}).scalars().all() == []
