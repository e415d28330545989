"""Neither secrets nor personal data nor real addresses are in the repository."""

import re
import subprocess
from pathlib import Path

import pytest

from amazon_support.settings import home

SECRETS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "an Amazon refresh token": r"Atzr\|[A-Za-z0-9_-]{40,}",
    "an Amazon client secret": r"amzn1\.oa2-cs\.v1\.[0-9a-f]{32,}",
    "an AWS key": r"\bAKIA[0-9A-Z]{16}\b",
    "a chat token": r"\bxox[abprs]-[0-9A-Za-z-]{10,}",
    "a password in a URL": r"://[^/\s:@{<]+:(?!password|\$|\{|%|…)[^/\s:@{<]{3,}@(?!host|localhost|127)",
}
# Mail addresses of invented people only: names reserved for examples, and Amazon's own.
ADDRESS = re.compile(r"[A-Za-z0-9._%+-]+@([A-Za-z0-9-]+\.)+[A-Za-z]{2,}")
ALLOWED = re.compile(
    r"@(([a-z0-9-]+\.)*(example|test|invalid|localhost)(\.(com|org|net))?|.*amazon.*|.*\.local)$", re.IGNORECASE
)


def tracked_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=home(), capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    skip = {"LICENSE", "requirements.txt", "requirements-dev.txt"}
    files = [home() / line for line in listing.splitlines() if line not in skip and "spapi_models" not in line]
    return [file for file in files if file.is_file()]


@pytest.mark.parametrize("what", SECRETS)
def test_no_secret(what: str) -> None:
    found = [
        str(file.relative_to(home()))
        for file in tracked_files()
        if file != Path(__file__) and re.search(SECRETS[what], file.read_text(errors="replace"))
    ]
    assert found == []


def test_no_real_mail_address() -> None:
    found = {
        f"{file.relative_to(home())}: {match.group()}"
        for file in tracked_files()
        if file != Path(__file__)
        for match in ADDRESS.finditer(file.read_text(errors="replace"))
        if not ALLOWED.search(match.group())
    }
    assert sorted(found) == []
