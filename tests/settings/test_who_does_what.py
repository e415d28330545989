"""A wrong team, view, rule or desk's folder fails at start, with file, line and what was expected."""

from pathlib import Path

import pytest

from amazon_support import settings
from amazon_support.settings import SettingsError

AGENTS = "agents:\n  - {name: Ana, email: a@b.example}\n  - {name: Bo, email: b@b.example}\n"
TEAM = "assignment:\n  teams:\n    - {name: europe, agents: [Ana]}\n"
FORMAT = "desk_files:\n  formats:\n    - {name: own, columns: {at: [When], order_id: [Order]}}\n"
FOLDER = FORMAT + "  folders:\n    - {account: main, desk: own, url: /in, format: own}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AMAZON_SUPPORT_SETTINGS", str(tmp_path))
    (tmp_path / "agents.yaml").write_text(AGENTS)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "text", "line", "says"),
    [
        (
            "agents.yaml",
            AGENTS + "  - name: Cy\n    email: c@b.example\n    hours: day\n",
            6,
            "unknown calendar day",
        ),
        (
            "agents.yaml",
            AGENTS + "  - name: Cy\n    email: c@b.example\n    quiet: night\n",
            6,
            "unknown calendar night",
        ),
        ("assignment.yaml", "assignment:\n  teams: []\n  manager: Zoe\n", 3, "manager: unknown agent Zoe"),
        (
            "assignment.yaml",
            "assignment:\n  teams:\n    - name: europe\n      agents: [Bo]\n      lead: Zoe\n",
            5,
            "team europe: unknown agent Zoe",
        ),
        ("agents.yaml", AGENTS.replace("b.example}\n  - {", "b.example, absent: [soon]}\n  - {", 1), 2, "valid date"),
        (
            "agents.yaml",
            AGENTS + "  - name: Cy\n    email: c@b.example\n    absent:\n      - {from: 2026-02-02, to: 2026-02-01}\n",
            7,
            "2026-02-01 is before 2026-02-02",
        ),
        (
            "assignment.yaml",
            "assignment:\n  teams:\n    - name: europe\n      agents: [Zoe]\n",
            4,
            "unknown agent Zoe",
        ),
        ("assignment.yaml", "assignment:\n  teams:\n    - name: europe\n      agents: []\n", 4, "at least 1 item"),
        ("assignment.yaml", TEAM + "    - {name: europe, agents: [Bo]}\n", 4, "team europe is named twice"),
        (
            "assignment.yaml",
            TEAM + "  views:\n    - {name: v, marketplaces: [XX]}\n",
            5,
            "unknown marketplace XX",
        ),
        ("assignment.yaml", TEAM + "  views:\n    - {name: v, accounts: [shop]}\n", 5, "view v: unknown account shop"),
        (
            "assignment.yaml",
            TEAM + "  views:\n    - {name: v, ticket_types: [gift]}\n",
            5,
            "'contact_buyer', ",
        ),
        ("assignment.yaml", TEAM + "  views:\n    - {name: v, order: {colour: red}}\n", 5, "Extra inputs"),
        ("assignment.yaml", TEAM + "  rules:\n    - {name: r, team: europe}\n", 5, "expected either view or tickets"),
        ("assignment.yaml", TEAM + "  rules:\n    - {name: r, tickets: {}}\n", 5, "expected a team, agents, or both"),
        (
            "assignment.yaml",
            TEAM + "  rules:\n    - {name: r, view: v, team: europe}\n",
            5,
            "rule r: unknown view v; known: none",
        ),
        (
            "assignment.yaml",
            TEAM + "  rules:\n    - name: r\n      tickets: {}\n      team: night\n",
            7,
            "rule r: unknown team night; known: europe",
        ),
        ("desk_files.yaml", FOLDER.replace("main", "shop"), 5, "unknown account shop; known: main"),
        ("desk_files.yaml", FOLDER.replace("format: own", "format: other"), 5, "unknown format other; known: own"),
        ("desk_files.yaml", FOLDER.replace("url: /in", "marketplace: XX, url: /in"), 5, "unknown marketplace XX"),
        ("desk_files.yaml", FOLDER.replace("url: /in, ", ""), 5, "expected either url or connection"),
        ("desk_files.yaml", FOLDER.replace("url: /in", "url: /in, after_reading: burn"), 5, "should match pattern"),
        ("desk_files.yaml", FOLDER.replace("url: /in", "url: /in, timezone: Mars"), 5, "no time zone 'Mars'"),
        (
            "desk_files.yaml",
            FOLDER + "    - {account: main, desk: own, url: /b, format: own}\n",
            6,
            "account main has desk own twice",
        ),
        ("desk_files.yaml", FORMAT.replace("at: [When], ", ""), 3, "expected a column for `at`"),
        ("desk_files.yaml", FORMAT.replace("order_id", "text"), 3, "expected a column for at least one of ticket_id"),
        ("desk_files.yaml", FORMAT.replace("}}", "}, actions: {done: finish}}"), 3, "Input should be 'status'"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(folder: Path, file: str, text: str, line: int, says: str) -> None:
    (folder / file).write_text(text)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert str(caught.value).startswith(f"{folder / file}:{line}:"), caught.value
    assert says in str(caught.value)


def test_a_marketplaces_team_must_be_one_where_there_are_teams(folder: Path) -> None:
    accounts = "accounts:\n  - name: main\n    marketplaces:\n      US:\n        team: night\n"
    (folder / "accounts.yaml").write_text(accounts)
    settings.load()
    (folder / "assignment.yaml").write_text(TEAM)
    with pytest.raises(SettingsError, match=r"accounts\.yaml:5: .*unknown team night; known: europe"):
        settings.load()


def test_the_shipped_formats_know_every_action() -> None:
    means = {
        shipped.name: {*shipped.actions.values(), *shipped.statuses.values()}
        for shipped in settings.load().desk_files.formats
    }
    assert means.pop("review_requests") == {"review_request", "ignore"}
    for known in means.values():
        assert known >= {"assign", "solve", "hold", "note", "status"}
