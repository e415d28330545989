"""A wrong setting fails at start, with file, line and what was expected."""

from datetime import timedelta
from pathlib import Path

import pytest

from amazon_support import settings
from amazon_support.settings import ServiceLevels, Settings, SettingsError


@pytest.fixture
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of settings that override the shipped ones, file by file."""
    monkeypatch.setenv("AMAZON_SUPPORT_SETTINGS", str(tmp_path))
    return tmp_path


def test_the_shipped_settings_are_valid() -> None:
    shipped = settings.load()
    assert shipped.policy.close_after_solved == timedelta(days=28)
    assert shipped.service_levels == ServiceLevels(), "the shipped policy is the one without a file"
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


ONE_ACCOUNT = "accounts:\n  - name: shop\n    "
TWO_AGENTS = "agents:\n  - {name: Ana, email: a@b.example}\n  - {name: Ana, email: b@b.example}\n"
SITE = "{marketplace_id: ATVPDKIKX0DER, region: na, domain: amazon.com, language: en, timezone: UTC, country: "


@pytest.mark.parametrize(
    ("name", "text", "line", "says"),
    [
        ("agents.yaml", "agents:\n  - name: Ana\n    email: nowhere\n", 3, "String should match pattern"),
        ("agents.yaml", "agents:\n  - email: ana@shop.example\n", 2, "Field required"),
        ("agents.yaml", TWO_AGENTS, 3, "agent Ana is named twice"),
        (
            "agents.yaml",
            "agents:\n  - name: Ana\n    email: a@b.example\n    marketplaces:\n      - DE\n      - XX\n",
            6,
            "agent Ana: unknown marketplace XX; known: AE, AU",
        ),
        ("policy.yaml", "policy:\n  first_import: soon\n", 2, "a duration such as 90m, 4h or 7d"),
        ("policy.yaml", "policy:\n  close_in: 24h\n", 2, "Extra inputs are not permitted"),
        ("accounts.yaml", "accounts:\n  - name: 'Big Shop'\n", 2, "String should match pattern"),
        ("accounts.yaml", "- name: main\n", 1, "one top-level key `accounts:`"),
        ("accounts.yaml", "accounts: [\n", 2, "not valid YAML"),
        (
            "accounts.yaml",
            ONE_ACCOUNT + "marketplaces:\n      XX: disabled\n",
            4,
            "account shop: unknown marketplace XX",
        ),
        ("accounts.yaml", ONE_ACCOUNT + "marketplaces:\n      MX: paused\n", 4, "'active', 'disabled' or 'deleted'"),
        ("accounts.yaml", ONE_ACCOUNT + "marketplaces:\n      MX: off\n", 4, "expected active, disabled or deleted"),
        ("accounts.yaml", ONE_ACCOUNT + "marketplaces: {MX: {desk: zendesk}}\n", 3, "'bqool' or 'seller_central'"),
        ("accounts.yaml", ONE_ACCOUNT + "marketplaces: {MX: {mailbox: mx}}\n", 3, "String should match pattern"),
        ("accounts.yaml", ONE_ACCOUNT + "enabled: perhaps\n", 3, "valid boolean"),
        ("accounts.yaml", ONE_ACCOUNT + "regions: [na, us]\n", 3, "'na', 'eu' or 'fe'"),
        ("accounts.yaml", ONE_ACCOUNT + "regions: []\n", 3, "at least 1 item"),
        (
            "accounts.yaml",
            ONE_ACCOUNT + "regions: [na]\n    amazon_connections: [one]\n",
            2,
            "expected either regions or amazon_connections, not both",
        ),
        (
            "accounts.yaml",
            "accounts:\n  - {name: shop, regions: [na]}\n  - {name: shop, regions: [eu], mailboxes: []}\n",
            3,
            "account shop is named twice",
        ),
        (
            "accounts.yaml",
            "accounts:\n  - name: shop\n    mailboxes: []\n  - name: outlet\n    mailboxes: []\n",
            4,
            "connection amazon_sp_api_default is used by accounts shop and outlet; expected one of its own for each",
        ),
        (
            "accounts.yaml",
            ONE_ACCOUNT + "amazon_connections: [one, one]\n",
            3,
            "connection one is used by account shop twice",
        ),
        (
            "accounts.yaml",
            "accounts:\n  - {name: shop, amazon_connections: [a]}\n  - {name: outlet, amazon_connections: [b]}\n",
            3,
            "mailbox imap_default, folder INBOX, is used by accounts shop and outlet",
        ),
        ("retention.yaml", "retention:\n  orders_kept: 60d\n", 2, "Amazon allows personal data to be kept for 30 days"),
        ("retention.yaml", "retention:\n  removed_together: 100\n  messages_kept: 2h\n", 3, "expected a day or more"),
        ("retention.yaml", "retention:\n  mails_kept: 30d\n", 2, "Extra inputs are not permitted"),
        ("retention.yaml", "retention:\n  worklists_kept: long\n", 2, "a duration such as 90m, 4h or 7d"),
        ("marketplaces.yaml", f"marketplaces:\n  - {SITE}US}}\n  - {SITE}CA}}\n", 3, "ATVPDKIKX0DER is named twice"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(own_settings: Path, name: str, text: str, line: int, says: str) -> None:
    (own_settings / name).write_text(text)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    message = str(caught.value)
    assert says in message
    assert message.startswith(f"{own_settings / name}:{line}:")


def test_all_mistakes_are_named_at_once(own_settings: Path) -> None:
    (own_settings / "agents.yaml").write_text(TWO_AGENTS)
    (own_settings / "accounts.yaml").write_text(ONE_ACCOUNT + "marketplaces: {XX: disabled, YY: deleted}\n")
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == [
        f"{own_settings / 'agents.yaml'}:3",
        f"{own_settings / 'accounts.yaml'}:3",
        f"{own_settings / 'accounts.yaml'}:3",
    ]


def test_a_file_of_ones_own_replaces_only_that_file(own_settings: Path) -> None:
    (own_settings / "policy.yaml").write_text("policy:\n  first_import: 12h\n")
    loaded = settings.load()
    assert loaded.policy.first_import == timedelta(hours=12)
    assert loaded.by_country["DE"].seller_central == "sellercentral.amazon.de"


# ---------- accounts


def accounts(folder: Path, text: str) -> Settings:
    (folder / "accounts.yaml").write_text(f"accounts:\n{text}")
    return settings.load()


@pytest.mark.parametrize(
    ("account", "pulled"),
    [
        ("{name: shop}", ["US", "CA", "MX", "BR"]),
        ("{name: shop, marketplaces: {MX: disabled, BR: deleted}}", ["US", "CA"]),
        ("{name: shop, marketplaces: {MX: {state: disabled}, US: {state: active, desk: bqool}}}", ["US", "CA", "BR"]),
        ("{name: shop, enabled: false}", []),
    ],
)
def test_only_active_marketplaces_of_enabled_accounts_are_pulled(
    own_settings: Path, account: str, pulled: list[str]
) -> None:
    loaded = accounts(own_settings, f"  - {account}\n")
    assert [loaded.by_id[i].country for i in loaded.marketplace_ids(loaded.account("shop"), "na")] == pulled


def test_a_disabled_account_is_known_but_not_among_the_enabled(own_settings: Path) -> None:
    loaded = accounts(own_settings, "  - {name: shop, regions: [eu]}\n  - {name: old, regions: [eu], enabled: false}\n")
    assert [account.name for account in loaded.enabled_accounts] == ["shop"]
    assert loaded.account("old").name == "old"


def test_desk_and_seller_name_are_the_marketplaces_own_where_it_has_them(own_settings: Path) -> None:
    loaded = accounts(
        own_settings,
        "  - name: shop\n    marketplaces:\n"
        "      DE: {desk: seller_central, seller_name: Laden}\n      NL: {desk: bqool}\n",
    )
    shop = loaded.account("shop")
    assert [(loaded.desk(shop, c), loaded.seller_name(shop, c)) for c in ("DE", "NL", "FR", "SE")] == [
        ("seller_central", "Laden"),
        ("bqool", "shop"),
        ("bqool", "shop"),
        ("seller_central", "shop"),
    ]


def test_a_marketplace_carries_what_its_tickets_need(own_settings: Path) -> None:
    special = "{mailbox: de@shop.example, ticket_category: garden, team: night}"
    loaded = accounts(own_settings, f"  - {{name: shop, marketplaces: {{DE: {special}}}}}\n")
    germany = loaded.account("shop").marketplaces["DE"]
    assert (germany.mailbox, germany.ticket_category, germany.team) == ("de@shop.example", "garden", "night")
    assert germany.state == "active"


def test_an_account_listed_by_region_has_connections_named_after_it(own_settings: Path) -> None:
    loaded = accounts(
        own_settings,
        "  - {name: shop, regions: [na, fe]}\n  - {name: outlet, regions: [eu], mailboxes: []}\n",
    )
    shop, outlet = loaded.accounts
    assert shop.amazon_connections == ("amazon_sp_api_shop_na", "amazon_sp_api_shop_fe")
    assert [mailbox.connection for mailbox in shop.mailboxes] == ["imap_shop"]
    assert (outlet.amazon_connections, outlet.mailboxes) == (("amazon_sp_api_outlet_eu",), ())


def test_accounts_may_share_a_mailbox_but_not_a_folder_of_it(own_settings: Path) -> None:
    boxes = "[{{connection: imap_all, folders: [{}]}}]"
    loaded = accounts(
        own_settings,
        f"  - {{name: shop, regions: [eu], mailboxes: {boxes.format('Shop')}}}\n"
        f"  - {{name: outlet, regions: [eu], mailboxes: {boxes.format('Outlet')}}}\n",
    )
    assert [account.mailboxes[0].folders for account in loaded.accounts] == [("Shop",), ("Outlet",)]


def test_an_account_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(KeyError, match="there are: .*main"):
        settings.load().account("nobody")


# ---------- mailboxes


def mailboxes(folder: Path, lines: str) -> None:
    (folder / "accounts.yaml").write_text(
        f"accounts:\n  - name: main\n    mailboxes:\n      - connection: imap_default\n{lines}"
    )


def test_a_mailbox_may_serve_several_and_mark_what_it_has(own_settings: Path) -> None:
    mailboxes(own_settings, "        tags: {DE: main/DE, all: main, jp: /JP}\n        mark: {imitation: flag}\n")
    [box] = settings.load().accounts[0].mailboxes
    assert box.tags == {"de": "main/DE", "all": "main", "jp": "/JP"}
    assert box.mark == {"imitation": "flag"}
    assert settings.load().policy.mail_history == timedelta(days=14)


@pytest.mark.parametrize(
    ("lines", "line", "says"),
    [
        ("        tags:\n          de: main/DE\n          fr: mian/FR\n", 7, "tag fr: no account or marketplace mian"),
        ("        tags:\n          de: main/XX\n", 6, "tag de: no account or marketplace XX"),
        ("        tags:\n          de: Main DE\n", 6, "String should match pattern"),
        ("        mark:\n          imitation: delete\n", 6, "String should match pattern"),
        ("        mark: {spam: flag}\n", 5, "no kind of mail: spam; there are: buyer_message"),
    ],
)
def test_a_mistake_in_a_mailbox_is_named_with_file_and_line(
    own_settings: Path, lines: str, line: int, says: str
) -> None:
    mailboxes(own_settings, lines)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{own_settings / 'accounts.yaml'}:{line}:")
