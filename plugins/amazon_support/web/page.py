"""Renders the pages' templates."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from tempfile import SpooledTemporaryFile
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from starlette.background import BackgroundTask

from amazon_support.outputs.csv_files import save_csv
from amazon_support.settings import home
from amazon_support.web import words

FILES = {
    "support.css": "text/css",
    "support.js": "text/javascript",
    "charts.js": "text/javascript",
    "chart.js-4.6.1.umd.min.js": "text/javascript",
}
A_PIECE = 65_536  # bytes of a file that are sent at once
IN_MEMORY = 1_000_000  # bytes of a file; a larger one goes to the disk


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


def download(name: str, names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Response:
    """The rows as a CSV file to save. They have been read when this returns: who saves slowly holds no connection."""
    file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  (open until it was sent)
    save_csv(file, names, ([row[column] for column in names] for row in rows))
    file.seek(0)
    return StreamingResponse(
        iter(partial(file.read, A_PIECE), b""),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
        background=BackgroundTask(file.close),
    )
