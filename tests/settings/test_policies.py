"""A wrong policy or calendar fails at start, with file, line and what was expected."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from amazon_support import settings
from amazon_support.settings import ServiceLevels, SettingsError

HEAD = "service_levels:\n"
OFFICE = "  calendars:\n    - name: office\n      timezone: Europe/Berlin\n      hours: {mon-fri: ['09:00-17:00']}\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AMAZON_SUPPORT_SETTINGS", str(tmp_path))
    return tmp_path / "policies.yaml"


def loaded(file: Path, text: str) -> ServiceLevels:
    file.write_text(HEAD + text)
    return settings.load().service_levels


def test_a_policy_says_for_which_tickets_and_how_long(file: Path) -> None:
    levels = loaded(
        file,
        OFFICE
        + """\
      holidays: {country: DE, subdivision: BE}
      dates: {2026-12-24: closed, 2026-12-31: ["22:00-02:00"]}
  policies:
    - name: bqool_by_day
      in_force_from: 2026-03-01
      desks: [bqool]
      calendar: office
      metrics:
        team: {target: 8h, by_priority: {urgent: 90m}, pauses_in: [on_hold]}
    - name: default
      metrics: {amazon_reply: 12h}
""",
    )
    by_day, default = levels.policies
    assert by_day.in_force_from == datetime(2026, 3, 1, tzinfo=UTC)
    assert by_day.label == "bqool_by_day@2026-03-01"
    assert [name for name, _ in by_day.metrics.measured()] == ["team"]
    assert by_day.metrics.team and by_day.metrics.team.by_priority == {"urgent": timedelta(minutes=90)}
    assert default.metrics.amazon_reply and default.metrics.amazon_reply.target == timedelta(hours=12)
    office = levels.calendars[0]
    assert office.hours["wed"] == ((9 * 3600, 17 * 3600),)
    assert list(office.dates.values()) == [(), ((22 * 3600, 26 * 3600),)]


def test_metrics_that_are_not_named_are_not_measured_and_without_metrics_it_is_the_usual_ones(file: Path) -> None:
    levels = loaded(file, "  policies:\n    - {name: default}\n")
    assert levels == ServiceLevels()


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("  policies:\n    - name: default\n      metrics: {team: soon}\n", 4, "a duration such as 90m, 4h or 7d"),
        ("  policies:\n    - name: default\n      metrics:\n        replies: 24h\n", 5, "Extra inputs"),
        ("  policies:\n    - name: default\n      metrics: {team: {}}\n", 4, "team needs a target such as 24h"),
        ("  policies:\n    - metrics: {a_to_z_deadline: 72h}\n", 3, "due when the notice says"),
        ("  policies:\n    - metrics:\n        amazon_reply: 25h\n", 3, "amazon_reply allows 24h at most"),
        (
            "  policies:\n    - metrics:\n        amazon_reply: {target: 24h, pauses_in: [on_hold]}\n",
            3,
            "nothing pauses it",
        ),
        ("  policies:\n    - name: default\n      calendar: moon\n", 4, "unknown calendar moon; known: 24x7"),
        ("  policies:\n    - name: default\n      desks: [bqool]\n", 3, "expected one policy without filters"),
        ("  policies:\n    - name: default\n    - name: default\n", 4, "default is there twice"),
        ("  policies:\n    - name: default\n      in_force_from: 2026-03-01 10:00\n", 4, "a time with its zone"),
        (OFFICE.replace("Berlin", "Bonn"), 4, "no time zone 'Europe/Bonn'"),
        (OFFICE.replace("09:00-17:00", "9-17"), 5, "'9-17' is no span; expected such as 09:00-17:30"),
        (OFFICE.replace("mon-fri", "weekdays"), 5, "'weekdays' is no day; expected mon, tue"),
        (OFFICE.replace("['09:00-17:00']", "[]"), 3, "the calendar is never open"),
        (OFFICE + "      holidays: {country: ZZ}\n", 6, "no holidays of ZZ are known"),
        (OFFICE + "      holidays: {country: DE, subdivision: XX}\n", 6, "DE has no part XX; known: BB"),
        (OFFICE + "      in_force_from: 2026-03-01\n", 3, "the first version of office must be without in_force_from"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(file: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(file, text)
    message = str(caught.value)
    assert says in message
    assert message.startswith(f"{file}:{line}:")
