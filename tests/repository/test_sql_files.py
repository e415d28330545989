"""Every SQL file is used, says what goes in and out, and never asks what time it is."""

import re
from pathlib import Path

import pytest

from amazon_support.settings import home

SQL = home() / "include" / "sql"
FILES = sorted(SQL.rglob("*.sql"))
CODE = "\n".join(path.read_text() for path in sorted((home() / "plugins").rglob("*.py")))


def name(path: Path) -> str:
    return str(path.relative_to(SQL))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_it_is_run_by_some_step(path: Path) -> None:
    assert name(path) in CODE or f'"{path.stem}"' in CODE or f"{path.parent.name}/{{" in CODE


@pytest.mark.parametrize("path", FILES, ids=name)
def test_it_begins_by_saying_what_goes_in_and_out(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("-- In:")
    assert "Out:" in text.split("\n\n", 1)[0]


@pytest.mark.parametrize("path", FILES, ids=name)
def test_it_is_free_of_templates(path: Path) -> None:
    assert not re.search(r"\{\{|\{%", path.read_text())


@pytest.mark.parametrize("path", [p for p in FILES if p.parent.name != "migrations"], ids=name)
def test_its_answer_does_not_depend_on_when_it_is_asked(path: Path) -> None:
    code = re.sub(r"--.*", "", path.read_text())
    assert not re.search(r"\b(now\s*\(|current_(timestamp|date|time)\b|clock_timestamp|random\s*\()", code)
