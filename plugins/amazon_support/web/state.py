"""What every page needs: the settings of now, the warehouse, the time."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Annotated

from fastapi import Depends, HTTPException
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from amazon_support import settings
from amazon_support.settings import Settings
from amazon_support.settings.load import FILES, settings_file
from amazon_support.warehouse import engine
from amazon_support.warehouse.engine import warehouse_url

_loaded: dict[str, tuple[tuple[int, ...], Settings]] = {}


def current_settings() -> Settings:
    """The settings, read anew when a file has changed.

    Raises: SettingsError with file, line and what was expected.
    """
    written = tuple(settings_file(name).stat().st_mtime_ns for name in FILES.values())
    if "settings" not in _loaded or _loaded["settings"][0] != written:
        _loaded["settings"] = (written, settings.load())
    return _loaded["settings"][1]


@cache
def _engine(url: str) -> Engine:
    return engine(url)


def warehouse() -> Iterator[Connection]:
    """One transaction on the warehouse a request, committed before the answer goes out: who is led on sees it there.

    Raises: HTTPException 503 if the warehouse does not answer.
    """
    from amazon_support.orchestration import hooks

    try:
        with _engine(hooks.warehouse_url() or warehouse_url()).begin() as connection:
            yield connection
    except OperationalError as error:
        raise HTTPException(503, "The warehouse does not answer. The pages come back when it does.") from error


def now() -> datetime:
    """The instant of a request, aware UTC."""
    return datetime.now(UTC)


SettingsDep = Annotated[Settings, Depends(current_settings)]
WarehouseDep = Annotated[Connection, Depends(warehouse, scope="function")]
NowDep = Annotated[datetime, Depends(now)]
