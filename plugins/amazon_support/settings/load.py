"""Reads the YAML files and turns what is wrong in them into one line a person can act on."""

import os
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from amazon_support.settings.models import Settings

Model = TypeVar("Model", bound=BaseModel)
FILES = {
    "marketplaces": "marketplaces.yaml",
    "accounts": "accounts.yaml",
    "agents": "agents.yaml",
    "policy": "policy.yaml",
}


class SettingsError(Exception):
    """A setting is wrong; the message says file, line, and what was expected."""


def home() -> Path:
    """The project's folder, where include/ and dags/ are (`AMAZON_SUPPORT_HOME` overrides)."""
    override = os.environ.get("AMAZON_SUPPORT_HOME")
    return Path(override) if override else Path(__file__).resolve().parents[3]


def settings_file(name: str) -> Path:
    """Path of a settings file: from `AMAZON_SUPPORT_SETTINGS` if it has one of that name, else include/settings."""
    override = os.environ.get("AMAZON_SUPPORT_SETTINGS")
    if override and (Path(override) / name).exists():
        return Path(override) / name
    return home() / "include" / "settings" / name


def load() -> Settings:
    """All settings, validated.

    Raises: SettingsError with file, line and what was expected.
    """
    documents, nodes = {}, {}
    for key, name in FILES.items():
        path = settings_file(name)
        document, node = _read(path)
        if not isinstance(document, dict) or set(document) != {key}:
            raise SettingsError(f"{path}:1: expected one top-level key `{key}:`")
        documents[key], nodes[key] = document[key], (path, node)
    try:
        return Settings.model_validate(documents)
    except ValidationError as error:
        raise SettingsError(_explain_all(error, nodes)) from None


def load_file(name: str, model: type[Model]) -> Model:
    """One settings file as `model`, for packages that keep settings of their own.

    Raises: SettingsError with file, line and what was expected.
    """
    path = settings_file(name)
    document, node = _read(path)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(e, path, node) for e in error.errors())) from None


def _read(path: Path) -> tuple[Any, yaml.Node | None]:
    try:
        text = path.read_text(encoding="utf-8")
        return yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader)
    except FileNotFoundError:
        raise SettingsError(f"{path}: not there; restore it or unset AMAZON_SUPPORT_SETTINGS") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SettingsError(f"{path}:{line}: not valid YAML: {error.problem}") from None


def _explain_all(error: ValidationError, nodes: dict[str, tuple[Path, yaml.Node | None]]) -> str:
    lines = []
    for detail in error.errors():
        if detail["loc"]:
            lines.append(_explain(detail, *nodes[str(detail["loc"][0])]))
        else:  # a rule across files; its message names the file
            lines.append(detail["msg"].removeprefix("Value error, "))
    return "\n".join(lines)


def _explain(detail: Any, path: Path, node: yaml.Node | None) -> str:
    where = ".".join(str(part) for part in detail["loc"])
    return f"{path}:{_line(node, detail['loc'])}: {where or 'settings'}: {detail['msg']}"


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """Line of the deepest part of `location` that the file has (1-based)."""
    line = node.start_mark.line + 1 if node else 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            entry = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if entry is None:
                return line
            line, node = entry[0].start_mark.line + 1, entry[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line
