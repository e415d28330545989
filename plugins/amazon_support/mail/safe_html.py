"""The HTML of a mail as a person may look at it: nothing runs, nothing is fetched, nothing is hidden."""

import html

import nh3

from amazon_support.mail.parse import ParsedMail

# The sanitiser's time grows with the square of the depth: a megabyte of <div> would take minutes.
LONGEST_HTML = 150_000
TAGS = (
    {"a", "abbr", "b", "blockquote", "br", "caption", "center", "code", "dd", "del", "div", "dl", "dt", "em", "hr", "i"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "ins", "li", "ol", "p", "pre", "q", "s", "small", "span", "strong", "sub"}
    | {"sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"}
)
# No style (it can hide words, and fetch), no class or id (they could meet the page's own), no images.
ATTRIBUTES = {"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}, "ol": {"start"}}
DROPPED_WHOLE = {"script", "style", "title", "template", "noscript", "iframe", "object", "svg", "math"}

PAGE = """<!doctype html>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 50rem; padding: 0 1rem }}
blockquote {{ border-left: 3px solid gray; margin-left: 0; padding-left: 1rem }}
pre {{ white-space: pre-wrap }}
</style>
<h1>{title}</h1>
{body}
"""


def safe_html(mail: ParsedMail) -> str:
    """The mail's HTML without whatever is not words, tables and links to http, https and mailto.

    Its text, escaped, where it has no HTML or one that is larger than any mail that people write.
    """
    if not mail.html.strip() or len(mail.html) > LONGEST_HTML:
        return f"<pre>{html.escape(mail.body)}</pre>"
    return nh3.clean(
        mail.html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        clean_content_tags=DROPPED_WHOLE,
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
    )


def page(mail: ParsedMail) -> str:
    """A page of its own, in the reader's light or dark, that a browser will not let fetch anything."""
    return PAGE.format(title=html.escape(mail.header("subject") or "(no subject)"), body=safe_html(mail))
