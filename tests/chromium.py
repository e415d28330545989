"""Debian's Chromium for tests that look at pages and mails; they are skipped with a clear line where there is none."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from amazon_support.settings import home

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")


@contextmanager
def launched() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


def screenshot(page: Page, name: str) -> Path:
    """Keeps how it looks in `.artefacts/`."""
    folder = home() / ".artefacts"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name.replace(' ', '_')}.png"
    page.screenshot(path=path, full_page=True)
    return path


def assert_everybody_can_read_it(page: Page) -> None:
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), "it scrolls sideways"
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()
