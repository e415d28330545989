"""What comes with the pipeline: known licences, pinned images, hashes of everything that is installed."""

import re

import licences
import pytest
import yaml

from amazon_support.settings import home


@pytest.mark.parametrize("package", licences.packages())
def test_each_package_is_listed_with_a_licence_that_is_allowed(package: str) -> None:
    expression = licences.licence(package)
    assert licences.is_allowed(expression), f"{package} is under {expression}: allow it, or do without"
    assert f"| {package} | {expression} |" in licences.LIST.read_text(), "make licences"


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("Artistic OR GPL", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT AND Zlib) OR AGPL-3.0-only", True),
        ("(MIT OR GPL-3.0-only) AND GPL-2.0-only", False),
        ("unknown", False),
        ("Some Licence of Ours", False),
    ],
)
def test_a_licence_is_allowed_if_one_may_be_chosen_that_is(expression: str, allowed: bool) -> None:
    assert licences.is_allowed(expression) is allowed


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_everything_that_is_installed_is_pinned_and_hashed(name: str) -> None:
    text = (home() / name).read_text()
    pinned = re.findall(r"^[a-zA-Z0-9][\w.\-\[\],]*==.*?(?=^[a-zA-Z0-9#]|\Z)", text, re.MULTILINE | re.DOTALL)
    assert len(pinned) == len(re.findall(r"^[a-zA-Z0-9]", text, re.MULTILINE)) > 20
    assert [entry.split()[0] for entry in pinned if "--hash=sha256:" not in entry] == []
    assert "--index-url" not in text


def test_images_have_a_version_of_their_own() -> None:
    services = yaml.safe_load((home() / "docker-compose.yaml").read_text())["services"]
    images = [service["image"] for service in services.values() if "image" in service]
    images += re.findall(r"^FROM (\S+)", (home() / "Dockerfile").read_text(), re.MULTILINE)
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", (home() / "Dockerfile").read_text(), re.MULTILINE))
    assert [image for image in images if image not in stages and not re.search(r":v?\d+\.\d+", image)] == []
