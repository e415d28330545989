"""What the documents tell a reader to type exists, and the files they point to are there."""

import re
from pathlib import Path

import click
import pytest

from amazon_support.cli import main
from amazon_support.settings import home

DOCUMENTS = [home() / "README.md", home() / "CONTRIBUTING.md", *sorted((home() / "docs").glob("*.md"))]


def found(pattern: str) -> list[str]:
    return [match for document in DOCUMENTS for match in re.findall(pattern, document.read_text())]


@pytest.mark.parametrize("target", sorted(set(found(r"(?:^|`)make ([a-z][a-z-]+)"))))
def test_make_has_the_target(target: str) -> None:
    assert re.search(rf"^{target}:", (home() / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("words", sorted(set(found(r"python -m amazon_support ([a-z][a-z -]*[a-z])"))))
def test_the_command_line_has_the_command(words: str) -> None:
    command: click.Command = main
    for word in words.split():
        if not isinstance(command, click.Group):
            return  # arguments from here on
        command = command.commands[word]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []
