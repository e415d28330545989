"""Writes docs/images/*.png anew, of the running demo: `make demo`, then `make screenshots`. Needs Chromium."""

import email
import email.policy
import re
import shutil
import sys
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from amazon_support.local import LocalStack
from amazon_support.settings import home

IMAGES = Path(__file__).parent / "images"
WIDE, MAIL = {"width": 1200, "height": 760}, {"width": 760, "height": 760}
PAGES = {"worklist": "worklist", "service_levels": "levels?days=30"}


def main(folder: Path) -> None:
    """Signs in as the demo's administrator, who sees what leads see."""
    stack = LocalStack(folder)
    IMAGES.mkdir(exist_ok=True)
    credentials = {"username": "admin", "password": stack.password}
    token = httpx.post(f"{stack.airflow_url}/auth/token", json=credentials, timeout=60).json()["access_token"]
    pages = f"{stack.airflow_url}/support"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = chromium.new_context(viewport=WIDE)
        context.set_default_timeout(120_000)
        context.add_cookies([{"name": "_token", "value": token, "url": stack.airflow_url}])
        page = context.new_page()
        for name, path in PAGES.items():
            page.goto(f"{pages}/{path}")
            _keep(page, name)
        page.goto(f"{pages}/worklist?section=reply_now")
        about_an_order = page.locator("a[href^='/support/tickets/'][href*='order']").first
        page.goto(stack.airflow_url + str(about_an_order.get_attribute("href")))
        _keep(page, "ticket")
        mail = chromium.new_page(viewport=MAIL)  # the pages let in no styles but their own
        mail.set_content(_worklist_mail(stack.folder / "mail"))
        _keep(mail, "worklist_mail")


def _keep(page: Page, name: str) -> None:
    """As a PNG of 128 colours: a third of the size, and nobody sees it."""
    page.wait_for_load_state("networkidle")
    shot = Image.open(BytesIO(page.screenshot())).convert("RGB")
    shot.quantize(128, dither=Image.Dither.NONE).save(IMAGES / f"{name}.png", optimize=True)


def _worklist_mail(folder: Path) -> str:
    """HTML of the longest worklist that an agent was mailed."""
    mails = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in folder.glob("*.eml")]
    bodies = [mail.get_body(("html",)).get_content() for mail in mails if not re.match("Alert", mail["Subject"])]
    return max(bodies, key=len)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else home() / ".data" / "demo")
