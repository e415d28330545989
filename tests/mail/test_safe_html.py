"""A mail as it may be shown in a browser: whatever is in it, nothing runs, nothing is fetched."""

from html.parser import HTMLParser

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from mail_builders import framed_html, mail

from amazon_support.cli import main
from amazon_support.mail import page, parse, safe_html

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "handler": '<img src=x onerror="alert(1)"><p onclick="alert(1)">x</p>',
    "script address": '<a href="java&#10;script:alert(1)">x</a>',
    "data address": '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    "remote picture": '<img src="https://spy.example/pixel.gif"><table background="https://spy.example/a">',
    "style that fetches": '<p style="background:url(https://spy.example/a)">x</p><style>@import "https://spy.example"</style>',
    "frame": '<iframe src="https://spy.example"></iframe><object data="x"></object><embed src="x">',
    "form": '<form action="https://spy.example"><input name="password"><button>Sign in</button></form>',
    "base and refresh": '<base href="https://spy.example"><meta http-equiv="refresh" content="0;https://spy.example">',
    "foreign markup": '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg><math><script>x</script>',
    "never closed": '<a href="https://a.example" title="<script>alert(1)</script>',
    "end of our page": "</pre></body></html><script>alert(1)</script>",
}


FORBIDDEN = {"script", "style", "img", "iframe", "object", "embed", "form", "input", "base", "meta", "svg"}
ADDRESSES = ("http://", "https://", "mailto:")


class Elements(HTMLParser):
    """Tags and attributes, as a browser would see them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}


def assert_harmless(html: str) -> None:
    found = Elements(html)
    assert not found.tags & {
        "script",
        "style",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "input",
        "base",
        "meta",
        "svg",
    }
    assert {name for name, _ in found.attributes} <= {"href", "rel", "colspan", "rowspan", "start"}
    assert all(
        value.startswith(("http://", "https://", "mailto:")) for name, value in found.attributes if name == "href"
    )


@pytest.mark.parametrize("markup", HOSTILE.values(), ids=HOSTILE)
def test_hostile_markup_is_taken_away_and_the_words_stay(markup: str) -> None:
    shown = safe_html(parse(mail(html=f"<p>before</p>{markup}")))
    assert_harmless(shown)
    assert "before" in shown and "alert(1)</script>" not in shown


@given(st.text(alphabet="<>/\"'=!-ahrefscriptonload:&#;x \n", max_size=300))
def test_no_markup_gets_through(markup: str) -> None:
    assert_harmless(safe_html(parse(mail(html=markup))))


def test_words_tables_and_links_are_kept() -> None:
    html = '<table><tr><td colspan="2">Kanne</td></tr></table><a href="https://www.amazon.de/dp/1">Artikel</a>'
    shown = safe_html(parse(mail(html=html)))
    assert '<td colspan="2">Kanne</td>' in shown
    assert '<a href="https://www.amazon.de/dp/1" rel="noopener noreferrer nofollow">Artikel</a>' in shown


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(mail(text="<b>1 < 2</b>"), id="text only"),
        pytest.param(mail(html="<div>" * 40_000 + "&lt;b&gt;1 &lt; 2&lt;/b&gt;"), id="too large"),
    ],
)
def test_what_cannot_be_sanitised_is_shown_as_text(raw: bytes) -> None:
    assert safe_html(parse(raw)) == "<pre>&lt;b&gt;1 &lt; 2&lt;/b&gt;</pre>"


def test_the_page_lets_the_browser_fetch_nothing() -> None:
    shown = page(parse(mail(subject="<script>", html=framed_html())))
    assert "default-src 'none'" in shown
    assert "<h1>&lt;script&gt;</h1>" in shown and "<script>" not in shown


def test_explain_writes_the_page() -> None:
    answer = CliRunner().invoke(main, ["mail", "explain", "-", "--html"], input=mail(html="<p>Guten Tag</p>"))
    assert answer.exit_code == 0 and "<p>Guten Tag</p>" in answer.stdout
    both = CliRunner().invoke(main, ["mail", "explain", "-", "--html", "--json"], input=b"")
    assert both.exit_code == 2 and "not both" in both.output
