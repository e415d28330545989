"""The pages that the daily run writes on what the checks found: whom they are shown to, and what they may load."""

from pathlib import Path

import pytest
from visitors import Browser

PAGE = "validations/orders/2026-03-10/20260310T120000.000000Z/all-accounts.html"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of local data, without pages."""
    monkeypatch.setenv("AMAZON_SUPPORT_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def site(data: Path) -> Path:
    """With an index, and the page of a dataset."""
    (data / "quality" / PAGE).parent.mkdir(parents=True)
    (data / "quality" / "index.html").write_text("<title>Of yesterday</title>")
    (data / "quality" / PAGE).write_text("<title>Orders</title>")
    return data / "quality"


def test_visitors_find_them_on_the_pipeline_page(site: Path, browser: Browser) -> None:
    assert f'/quality/{PAGE}"' in browser("vic").get("/pipeline").text
    assert "Of yesterday" in browser("vic").get("/quality/index.html").text
    assert "Orders" in browser("vic").get(f"/quality/{PAGE}").text
    assert browser("stranger").get("/quality/index.html").status_code == 403


def test_they_load_nothing_from_elsewhere_and_run_no_script(site: Path, browser: Browser) -> None:
    policy = browser("vic").get("/quality/index.html").headers["content-security-policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "script" not in policy


@pytest.mark.parametrize("path", ["nothing.html", "validations", "%2e%2e/list.csv", "%2fetc%2fhostname"])
def test_nothing_else_is_served(site: Path, browser: Browser, path: str) -> None:
    (site.parent / "list.csv").write_text("secret")
    answer = browser("vic").get(f"/quality/{path}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_without_pages_there_is_no_link(data: Path, browser: Browser) -> None:
    assert "/quality/" not in browser("vic").get("/pipeline").text
