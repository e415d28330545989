"""A wrong setting fails at start, with file, line and what was expected."""

from datetime import timedelta
from pathlib import Path

import pytest

from amazon_support import settings
from amazon_support.settings import SettingsError


@pytest.fixture
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of settings that override the shipped ones, file by file."""
    monkeypatch.setenv("AMAZON_SUPPORT_SETTINGS", str(tmp_path))
    return tmp_path


def test_the_shipped_settings_are_valid() -> None:
    shipped = settings.load()
    assert shipped.policy.reply_within == timedelta(hours=24)
    assert [account.name for account in shipped.accounts] == ["main"]


def test_desks_are_bqool_in_eight_marketplaces_and_seller_central_elsewhere() -> None:
    bqool = {m.country for m in settings.load().marketplaces if m.desk == "bqool"}
    assert bqool == {"US", "CA", "MX", "UK", "FR", "DE", "IT", "ES"}


def test_marketplaces_agree_with_the_client_library() -> None:
    from sp_api.base import Marketplaces

    hosts = {"na": "-na.", "eu": "-eu.", "fe": "-fe."}
    theirs = {m.marketplace_id: m.endpoint for m in Marketplaces}
    for ours in settings.load().marketplaces:
        assert hosts[ours.region] in theirs[ours.marketplace_id], ours.country
    assert {m.marketplace_id for m in settings.load().marketplaces} == set(theirs)


@pytest.mark.parametrize(
    ("name", "text", "line", "says"),
    [
        ("agents.yaml", "agents:\n  - name: Ana\n    email: nowhere\n", 3, "String should match pattern"),
        ("agents.yaml", "agents:\n  - name: Ana\n", 2, "Field required"),
        ("policy.yaml", "policy:\n  reply_within: soon\n", 2, "a duration such as 90m, 4h or 7d"),
        ("policy.yaml", "policy:\n  reply_in: 24h\n", 2, "Extra inputs are not permitted"),
        ("accounts.yaml", "accounts:\n  - name: 'Big Shop'\n", 2, "String should match pattern"),
        ("accounts.yaml", "- name: main\n", 1, "one top-level key `accounts:`"),
        ("accounts.yaml", "accounts: [\n", 2, "not valid YAML"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(own_settings: Path, name: str, text: str, line: int, says: str) -> None:
    (own_settings / name).write_text(text)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    message = str(caught.value)
    assert says in message
    assert message.startswith(f"{own_settings / name}:{line}:")


@pytest.mark.parametrize(
    ("agents", "says"),
    [
        ("[{name: Ana, email: a@b.example, marketplaces: [XX]}]", "agents.yaml: agent Ana: unknown marketplace XX"),
        ("[{name: Ana, email: a@b.example}, {name: Ana, email: b@b.example}]", "agents.yaml: agent named twice: Ana"),
    ],
)
def test_a_mistake_across_entries_names_the_entry(own_settings: Path, agents: str, says: str) -> None:
    (own_settings / "agents.yaml").write_text(f"agents: {agents}\n")
    with pytest.raises(SettingsError, match=says):
        settings.load()


def test_a_file_of_ones_own_replaces_only_that_file(own_settings: Path) -> None:
    (own_settings / "policy.yaml").write_text("policy:\n  reply_within: 12h\n")
    loaded = settings.load()
    assert loaded.policy.reply_within == timedelta(hours=12)
    assert loaded.by_country["DE"].seller_central == "sellercentral.amazon.de"


def test_disabled_marketplaces_are_not_pulled(own_settings: Path) -> None:
    (own_settings / "accounts.yaml").write_text("accounts:\n  - name: shop\n    disabled_marketplaces: [MX, BR]\n")
    loaded = settings.load()
    pulled = [loaded.by_id[i].country for i in loaded.marketplace_ids(loaded.account("shop"), "na")]
    assert pulled == ["US", "CA"]


def test_an_account_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(KeyError, match="there are: .*main"):
        settings.load().account("nobody")
