"""Writes docs/settings.md from the models that read the settings, docs/data.md from the comments of a new warehouse.

Usage: make reference. A test compares both with what it would write.
"""

import re
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sqlalchemy import text

from amazon_support.settings.base import Duration
from amazon_support.settings.load import FILES, settings_file
from amazon_support.settings.models import Settings
from amazon_support.warehouse import connect, migrate
from amazon_support.warehouse.embedded import EmbeddedServer

DOCS = Path(__file__).parent
SCHEMAS = {
    "raw": "As received, in batches. Kept as proof, read by checks and publishing.",
    "core": "Facts: what happened. Tables of events are append-only.",
    "mart": "Answers, made of the facts. What BI tools should read; may be thrown away and made again.",
    "ops": "How the pipeline itself does: batches, positions, calls, checks, alerts.",
    "pii": "Personal data, apart from the rest, removed when its time is over.",
}


# ---------- settings


def settings_reference() -> str:
    """All settings, a chapter a file, a table a kind of entry."""
    lines = [
        "# Settings",
        "",
        "Every key of every file in `include/settings`, made by `make reference` from what reads them. The files",
        "themselves have comments and examples. A folder named by `AMAZON_SUPPORT_SETTINGS` replaces them file by",
        "file. A wrong key or value is refused with file, line and what was expected: `python -m amazon_support",
        "doctor` shows it.",
    ]
    seen: set[type[BaseModel]] = set()
    for key, name in FILES.items():
        field = Settings.model_fields[key]
        lines += ["", f"## {name}", "", f"One top-level key, `{key}`: {_shape(field.annotation)}."]
        beside = _beside(name)
        for model in _models(field.annotation):
            lines += _table(model, seen, beside)
    lines += [
        "",
        "## The other files",
        "",
        "`mail_rules.yaml` (what a mail means), `account_health.yaml` (metrics, where Amazon names no target), and",
        "`report_formats.yaml` (names of columns in Amazon's reports) explain themselves; see [mailbox.md](mailbox.md)",
        "and [amazon.md](amazon.md). `pools.json` are Airflow's pools.",
    ]
    return "\n".join(lines) + "\n"


def _beside(name: str) -> dict[str, str]:
    """What the shipped file says in a comment beside a key's value."""
    lines = re.findall(r"^ {0,4}(\w+): .*?# (.+)$", settings_file(name).read_text("utf-8"), re.MULTILINE)
    return dict(lines)


def _table(model: type[BaseModel], seen: set[type[BaseModel]], beside: dict[str, str]) -> Iterator[str]:
    if model in seen:
        return
    seen.add(model)
    told = _told(model)
    yield from (
        "",
        f"### {_words(model)}",
        "",
        _summary(model),
        "",
        "| key | value | without it | |",
        "|---|---|---|---|",
    )
    for name, field in model.model_fields.items():
        value = " ".join(filter(None, [_shape(field.annotation, field), _limits(field)]))
        about = field.description or told.get(name) or beside.get(name, "")
        yield f"| `{field.alias or name}` | {_cell(value)} | {_cell(_default(field))} | {_cell(about)} |"
    for field in model.model_fields.values():
        for inner in _models(field.annotation):
            yield from _table(inner, seen, {})


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _shape(annotation: Any, field: FieldInfo | None = None) -> str:
    """What may stand there, in words."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if annotation == Duration or (field and _is_duration(annotation, field)):
        return "duration, such as 90m, 4h, 7d"
    if origin is Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_shape(part) for part in parts if part is not type(None)))
    if origin in (list, tuple, set, frozenset):
        return f"list of {_shape(parts[0])}"
    if origin is dict:
        return f"by {_shape(parts[0])}: {_shape(parts[1])}"
    if parts and origin is not None and hasattr(annotation, "__metadata__"):
        return _shape(annotation.__origin__)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{_words(annotation)}](#{_words(annotation).replace(' ', '-')})"
    names = {"str": "text", "bool": "true or false", "int": "whole number", "float": "number", "timedelta": "duration"}
    name = getattr(annotation, "__name__", str(annotation))
    return names.get(name, name)


def _is_duration(annotation: Any, field: FieldInfo) -> bool:
    return getattr(annotation, "__name__", "") == "timedelta"


def _limits(field: FieldInfo) -> str:
    limits = {}
    for rule in field.metadata:
        for name in ("ge", "gt", "le", "lt", "pattern", "min_length"):
            value = getattr(rule, name, None)
            if value is not None:
                limits[name] = _duration(value) if isinstance(value, timedelta) else value
    words = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "lt": "less than {}", "pattern": "as `{}`"}
    told = [words[name].format(value) for name, value in limits.items() if name in words]
    return f"({', '.join(told)})" if told else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value = field.get_default(call_default_factory=True)
    if value in (None, "", (), {}, [], frozenset()):
        return "nothing"
    if isinstance(value, BaseModel):
        return "its defaults"
    if isinstance(value, tuple | list) and value and isinstance(value[0], BaseModel):
        return "; ".join(
            ", ".join(f"{k} {v}" for k, v in each.model_dump(exclude_defaults=True).items()) for each in value
        )
    if isinstance(value, tuple | list):
        return ", ".join(f"`{each}`" for each in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return f"`{_duration(value)}`"
    return f"`{value}`"


def _duration(span: timedelta) -> str:
    minutes = int(span.total_seconds() / 60)
    for unit, length in (("d", 1440), ("h", 60)):
        if minutes and minutes % length == 0 and (unit == "h" or minutes >= 2 * length):
            return f"{minutes // length}{unit}"
    return f"{minutes}m"


def _words(model: type[BaseModel]) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", model.__name__.lstrip("_")).lower()


def _summary(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").partition("Attributes:")[0].split())


def _told(model: type[BaseModel]) -> dict[str, str]:
    """What the docstring's Attributes say of each field: `name: words`, `one, two: words`."""
    attributes = " ".join((model.__doc__ or "").partition("Attributes:")[2].split())
    fields = "|".join(sorted(model.model_fields, key=len, reverse=True))
    parts = re.split(rf"(?:^|(?<=[.;] ))((?:(?:{fields})(?:, )?)+): ", attributes)
    told = {}
    for names, words in zip(parts[1::2], parts[2::2], strict=True):
        told |= {name.strip(): words.strip() for name in names.split(",") if name.strip()}
    return told


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("\n", " ")


# ---------- data

TABLES = """
select
    spaces.nspname as schema,
    relations.relname as name,
    relations.relkind = 'v' as is_view,
    coalesce(obj_description(relations.oid), '') as about,
    array_agg(columns.attname::text order by columns.attnum) as columns,
    array_agg(format_type(columns.atttypid, columns.atttypmod) order by columns.attnum) as types,
    array_agg(coalesce(col_description(relations.oid, columns.attnum), '') order by columns.attnum) as comments,
    (
        select array_agg(key.attname::text) from pg_index as indexes
        inner join pg_attribute as key on key.attrelid = relations.oid and key.attnum = any(indexes.indkey)
        where indexes.indrelid = relations.oid and indexes.indisprimary
    ) as key
from pg_class as relations
inner join pg_namespace as spaces on spaces.oid = relations.relnamespace
inner join pg_attribute as columns
    on columns.attrelid = relations.oid and columns.attnum > 0 and not columns.attisdropped
where spaces.nspname = :schema and relations.relkind in ('r', 'p', 'v', 'm') and not relations.relispartition
group by spaces.nspname, relations.oid, relations.relname, relations.relkind
order by relations.relname
"""


def data_dictionary(url: str) -> str:
    """Every table and view of a migrated warehouse, with its columns and what they mean."""
    lines = [
        "# Data dictionary",
        "",
        "Every table and view of the warehouse, made by `make reference` from the comments in the database (`\\d+` in",
        "`db psql` shows the same). Times are `timestamptz` in UTC; columns of the primary key are bold. How the parts",
        "hang together: [architecture.md](architecture.md).",
    ]
    with connect(url) as connection:
        for schema, about in SCHEMAS.items():
            lines += ["", f"## {schema}", "", about]
            for table in connection.execute(text(TABLES), {"schema": schema}):
                kind = " (view)" if table.is_view else ""
                lines += ["", f"### {schema}.{table.name}{kind}", "", *([table.about] if table.about else [])]
                lines += ["", "| column | type | |", "|---|---|---|"]
                for name, type_, comment in zip(table.columns, table.types, table.comments, strict=True):
                    shown = f"**`{name}`**" if name in (table.key or ()) else f"`{name}`"
                    lines.append(
                        f"| {shown} | {type_.replace('timestamp with time zone', 'timestamptz')} | {_cell(comment)} |"
                    )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Writes both files."""
    (DOCS / "settings.md").write_text(settings_reference(), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder, EmbeddedServer(Path(folder)) as server:
        url = server.ensure_database("warehouse")
        migrate.upgrade(url)
        (DOCS / "data.md").write_text(data_dictionary(url), encoding="utf-8")


if __name__ == "__main__":
    main()
