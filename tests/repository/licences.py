"""Writes docs/licences.md: under which licence each package is that the pipeline runs on. `make licences`.

Says what the packages' own metadata say; where those are silent, SAID says what the package's LICENSE file does.
"""

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from license_expression import ExpressionError, Licensing
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "docs" / "licences.md"
# Permissive ones, and those that ask only that changes to the package itself are given on: we change none.
ALLOWED = {
    "0BSD", "Apache-2.0", "Artistic", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC", "LGPL",
    "LGPL-3.0-only", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib",
}  # fmt: skip
IN_OUR_WORDS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Artistic License": "Artistic",
    "BSD License": "BSD",
    "GNU General Public License (GPL)": "GPL",
    "GNU General Public License v2 or later (GPLv2+)": "GPL",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
LICENSING = Licensing()
VAGUE = {"OSI Approved", "DFSG approved"}
SAID = {"imapclient": "BSD-3-Clause"}


def packages() -> list[str]:
    """Names in requirements.txt that this interpreter and system need."""
    lines = re.findall(r"^[a-zA-Z0-9][^\s\\]*==[^\\\n]*", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    needed = [Requirement(line.strip()) for line in lines]
    return [each.name for each in needed if each.marker is None or each.marker.evaluate()]


def licence(package: str) -> str:
    """As an SPDX expression; classifiers that name several licences mean a choice.

    Raises: PackageNotFoundError
    """
    about = distribution(package).metadata
    if package in SAID:
        return SAID[package]
    if expression := about.get("License-Expression"):
        return str(expression)
    classifiers = [each.split(" :: ")[-1] for each in about.get_all("Classifier") or [] if each.startswith("License")]
    named = [each for each in classifiers if each not in VAGUE] or [about.get("License") or "unknown"]
    return " OR ".join(dict.fromkeys(IN_OUR_WORDS.get(each, each) for each in named))


def is_allowed(expression: str) -> bool:
    """Whether some choice of the expression has nothing but allowed licences."""
    try:
        return _holds(LICENSING.parse(expression))
    except ExpressionError:
        return False


def _holds(node: Any) -> bool:
    if isinstance(node, LICENSING.AND):
        return all(map(_holds, node.args))
    if isinstance(node, LICENSING.OR):
        return any(map(_holds, node.args))
    return str(node) in ALLOWED


def table() -> str:
    lines = [
        "# Licences of what it runs on",
        "",
        "Written by `make licences` from the packages' own metadata. A test fails when a package of `requirements.txt`",
        "is not in this list, or under a licence that `tests/repository/licences.py` does not allow.",
        "",
        "| package | licence |",
        "|---|---|",
    ]
    return "\n".join([*lines, *(f"| {name} | {licence(name)} |" for name in sorted(packages()))]) + "\n"


if __name__ == "__main__":
    try:
        LIST.write_text(table())
    except PackageNotFoundError as error:
        sys.exit(f"{error.name} is not installed: make setup")
    print(f"{LIST}: {len(packages())} packages")
