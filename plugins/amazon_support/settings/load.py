"""Reads the YAML files and turns what is wrong in them into one line a person can act on."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from amazon_support.settings.base import Location
from amazon_support.settings.models import Policy, Settings

Model = TypeVar("Model", bound=BaseModel)
# libyaml's is ten times as fast; the wheels of some platforms lack it.
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
FILES = {
    "marketplaces": "marketplaces.yaml",
    "accounts": "accounts.yaml",
    "agents": "agents.yaml",
    "policy": "policy.yaml",
    "service_levels": "policies.yaml",
    "assignment": "assignment.yaml",
    "desk_files": "desk_files.yaml",
    "access": "access.yaml",
    "retention": "retention.yaml",
}


HOME = Path(__file__).resolve().parents[3]


class SettingsError(Exception):
    """A setting is wrong; the message says file, line, and what was expected."""


def home() -> Path:
    """The project's folder, where include/ and dags/ are (`AMAZON_SUPPORT_HOME` overrides)."""
    override = os.environ.get("AMAZON_SUPPORT_HOME")
    return Path(override) if override else HOME


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
    documents, paths = {}, {}
    for key, name in FILES.items():
        paths[key] = settings_file(name)
        document = _read(paths[key])
        if not isinstance(document, dict) or set(document) != {key}:
            raise SettingsError(f"{paths[key]}:1: expected one top-level key `{key}:`")
        documents[key] = document[key]
    try:
        return Settings.model_validate(documents)
    except ValidationError as error:
        raise SettingsError(_explain(error, lambda location: paths[str(location[0])])) from None


def load_file(name: str, model: type[Model]) -> Model:
    """One settings file as `model`, for packages that keep settings of their own.

    Raises: SettingsError with file, line and what was expected.
    """
    path = settings_file(name)
    try:
        return model.model_validate(_read(path))
    except ValidationError as error:
        raise SettingsError(_explain(error, lambda _: path)) from None


class _PolicyFile(BaseModel):
    policy: Policy


def load_policy() -> Policy:
    """policy.yaml alone, for DAG files: a mistake in another file must not take the DAGs away.

    Raises: SettingsError with file, line and what was expected.
    """
    return load_file(FILES["policy"], _PolicyFile).policy


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)  # noqa: S506 - a safe loader either way
    except FileNotFoundError:
        raise SettingsError(f"{path}: not there; restore it or unset AMAZON_SUPPORT_SETTINGS") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SettingsError(f"{path}:{line}: not valid YAML: {error.problem}") from None


def _explain(error: ValidationError, path_of: Callable[[Location], Path]) -> str:
    """One line for each mistake. The files are read once more, as trees that know their lines."""
    trees: dict[Path, yaml.Node | None] = {}
    lines = []
    for detail in error.errors():
        location = detail["loc"]
        path = path_of(location)
        if path not in trees:
            trees[path] = yaml.compose(path.read_text(encoding="utf-8"), Loader=Loader)
        where = ".".join(str(part) for part in location)
        lines.append(f"{path}:{_line(trees[path], location)}: {where or 'settings'}: {detail['msg']}")
    return "\n".join(lines)


def _line(node: yaml.Node | None, location: Location) -> int:
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
