"""Renders the pages' templates."""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from amazon_support.outputs.worklist import safe_cell
from amazon_support.settings import home
from amazon_support.web import words

FILES = {
    "support.css": "text/css",
    "support.js": "text/javascript",
    "charts.js": "text/javascript",
    "chart.js-4.6.1.umd.min.js": "text/javascript",
}


@cache
def _templates() -> Any:
    return words.environment()


@cache
def version() -> str:
    """Changes whenever one of the static files does, so that browsers may keep them."""
    digest = hashlib.sha256()
    for name in FILES:
        digest.update((home() / "include" / "static" / name).read_bytes())
    return digest.hexdigest()[:12]


def render(request: Request, template: str, *, status_code: int = 200, **shown: Any) -> HTMLResponse:
    """A page from include/templates/web/<template>.html.j2, links relative to where the application is mounted."""
    shown |= {"root": request.scope.get("root_path", ""), "path": request.url.path, "version": version()}
    return HTMLResponse(_templates().get_template(f"{template}.html.j2").render(**shown), status_code)


def csv_file(name: str, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Response:
    """The rows as a file to save, UTF-8 with mark, so that Excel reads it; no cell is a formula."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(columns)
    writer.writerows([safe_cell(row[column]) for column in columns] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(written.getvalue().encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)
