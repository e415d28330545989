"""Report formats are settings: mistakes in them are named when they are read."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from amazon_support import settings
from amazon_support.settings.report_formats import ReportFormats, plain, report_formats


def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **parts: Any) -> None:
    content = report_formats().model_dump(mode="json")
    content["seller_feedback"].update(parts)
    (tmp_path / "report_formats.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.setenv("AMAZON_SUPPORT_SETTINGS", str(tmp_path))


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"dates": {"US": "m/d/y"}}, "dates lacks the entry `default`"),
        ({"dates": {"default": "dd/mm/yy"}}, "dates.default"),
        ({"dates": {"default": "d/m/y", "Sweden": "y-m-d"}}, "Sweden"),
        ({"charsets": {"default": "utf-9"}}, "utf-9"),
        ({"charsets": {"JP": "cp932"}}, "charsets lacks the entry `default`"),
        ({"spelling": "wrong"}, "spelling"),
    ],
)
def test_a_mistake_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: dict[str, Any], expected: str
) -> None:
    changed(tmp_path, monkeypatch, **part)
    with pytest.raises(settings.SettingsError, match=expected):
        settings.load_file("report_formats.yaml", ReportFormats)


def test_a_heading_stands_for_one_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    headings = report_formats().seller_feedback.headings.model_dump(mode="json")
    changed(tmp_path, monkeypatch, headings=headings | {"rating": ["Rating", "comments"]})
    with pytest.raises(settings.SettingsError, match=r"heading Comments stands for rating and comments"):
        settings.load_file("report_formats.yaml", ReportFormats)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Évaluation", "evaluation"),
        ("E-Mail des Bewerters", "e-mail_des bewerters"),
        ("N.º de pedido", "Nº de pedido"),
        ("YANITINIZ", "yanitiniz"),
    ],
)
def test_headings_are_the_same_whatever_their_case_accents_and_punctuation(one: str, other: str) -> None:
    assert plain(one) == plain(other)


def test_no_two_headings_of_other_scripts_are_the_same() -> None:
    headings = report_formats().seller_feedback.headings
    assert "" not in {plain(spelling) for _, spellings in headings for spelling in spellings}
