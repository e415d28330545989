"""The pages on the checks of a day: written whole, in place of the last ones."""

from datetime import timedelta
from pathlib import Path

import pytest
from landing import NOON, land_some_mail, land_some_orders, mail, order, order_id
from sqlalchemy import Engine

from amazon_support import settings
from amazon_support.quality import HOURLY, check, check_standing, docs
from amazon_support.sources.positions import note_pulled
from amazon_support.window import Window

SETTINGS = settings.load()
WEEK = Window(NOON - timedelta(days=9), NOON - timedelta(days=2), live=True)


@pytest.fixture
def site(warehouse: Engine, tmp_path: Path) -> Path:
    """The pages of a day with an order that was set aside, and a source that is behind."""
    with warehouse.begin() as connection:
        land_some_orders(connection, order(), order(order_id(2), orderItems=[]))
        land_some_mail(connection, mail("letter"))
        note_pulled(connection, "main", "orders", "eu", WEEK)
    for dataset in ("orders", "mail"):
        check(warehouse, dataset, SETTINGS, as_of=NOON)
    check_standing(warehouse, HOURLY, SETTINGS, as_of=NOON)
    write(warehouse, tmp_path / "data" / "quality")
    return tmp_path / "data" / "quality"


def write(warehouse: Engine, folder: Path) -> list[str]:
    with warehouse.connect() as connection:
        return docs.write_docs(connection, SETTINGS, folder, as_of=NOON)


def page_of(site: Path, dataset: str) -> Path:
    return site / docs.pages(site)[dataset]


def test_each_dataset_has_a_page_with_its_rules_and_what_broke_them(site: Path) -> None:
    index = (site / docs.INDEX).read_text()
    assert "orders" in index
    assert "mail" in index
    told = page_of(site, "orders").read_text()
    for words in ("has_items: item count at least 1", "pulled_lately: hours behind at most 3", "main (eu): 48"):
        assert words in told
    assert "main (eu)" not in page_of(site, "mail").read_text()


def test_they_are_written_anew_and_nothing_else_is_left(warehouse: Engine, site: Path) -> None:
    (site / "of yesterday.html").write_text("old")
    assert write(warehouse, site) == ["mail", "orders"]
    assert not (site / "of yesterday.html").exists()
    assert [each.name for each in site.parent.iterdir()] == ["quality"]


def test_a_day_without_checks_has_an_index_too(warehouse: Engine, tmp_path: Path) -> None:
    assert write(warehouse, tmp_path / "quality") == []
    assert docs.pages(tmp_path / "quality") == {}
    assert (tmp_path / "quality" / docs.INDEX).exists()
