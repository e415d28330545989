"""Who may speak as Amazon: by the domain, label by label, and by what our own server found."""

import pytest
from mail_builders import ALIAS, BUYER, LINK, SUBJECT, checked, framed, mail

from amazon_support.mail import explain
from amazon_support.mail import rules as mail_rules
from amazon_support.mail.rules import sites
from amazon_support.mail.senders import amazon_site

HEADER = ("X-Space-Notification-Type", "BBC_MESSAGE_SENT_TO_MERCHANT")


def kind(sender: str | tuple[str, str], **options: object) -> str:
    return explain(mail(sender, SUBJECT, framed(), **options)).kind  # type: ignore[arg-type]


@pytest.mark.parametrize("domain", sites().by_domain)
def test_every_site_has_a_relay_and_sends_itself(domain: str) -> None:
    site = sites().by_domain[domain]
    assert amazon_site(f"marketplace.{domain}") == (site, True)
    assert amazon_site(domain) == (site, False)
    assert amazon_site(f"sellernotifications.{domain}") == (site, False)


@pytest.mark.parametrize(
    "domain",
    [
        "marketplace.amazon.com.evil.example",
        "f3dven-amazon.com",
        "amazon.evil",
        "evilamazon.com",
        "amazon.com.evil",
        "amazon",
        "com",
        "",
        ".amazon.com",
        "marketplace.amazon.zz",
    ],
)
def test_other_domains_are_not_amazons(domain: str) -> None:
    assert amazon_site(domain) is None


@pytest.mark.parametrize(
    "sender",
    [
        ("Amazon Seller Central", "notice@f3dven-amazon.com"),
        ("Amazon", "no-reply@amazon.com.evil.example"),
        ("Amazon.de", "service@bulk.example"),
        ("Mia Muster - Amazon Marketplace", "abc@marketplace.amazon.com.evil.example"),
        ("Mia Muster - Amazon Marketplace", "abc@webmail.example"),
        ("Аmazon Seller Support", "x@аmazon.example"),
        ("Amazon", "x@arnazon.example"),
        ("Amaz0n", "x@amaz0n-seller.example"),
        ("donotreply@amazon.de", "x@bulk.example"),
    ],
)
def test_who_poses_as_amazon_from_elsewhere_is_an_imitation(sender: tuple[str, str]) -> None:
    name, address = sender
    raw = f'From: "{name}" <{address}>\r\nSubject: {SUBJECT}\r\n\r\n{framed()}'.encode()
    facts = explain(raw)
    assert (facts.kind, facts.no_response_link) == ("imitation", None)


@pytest.mark.parametrize(
    "sender",
    [
        ("Legal", "legal@brandrights.example"),
        ("SEO Partner", "hello@rank-higher.example"),
        ("AWS", "no-reply@amazonaws.com"),
        ("Tools for sellers on Amazon", "news@tools.example"),
    ],
)
def test_others_who_write_about_amazon_are_only_unknown(sender: tuple[str, str]) -> None:
    assert kind(sender) == "unknown"


@pytest.mark.parametrize("sender", [BUYER, "donotreply@amazon.de", "no-reply@sellernotifications.amazon.com"])
def test_an_explicit_failure_makes_an_imitation(sender: str | tuple[str, str]) -> None:
    assert kind(sender, auth="fail", headers=[HEADER]) == "imitation"


@pytest.mark.parametrize("auth", [None, "none", "temperror", "neutral"])
def test_no_result_is_no_failure(auth: str | None) -> None:
    facts = explain(mail(BUYER, SUBJECT, framed(), auth=auth))
    assert facts.kind == "buyer_message"
    assert facts.no_response_link == LINK


def with_results(*results: str) -> bytes:
    headers = "".join(f"Authentication-Results: {result}\r\n" for result in results)
    return f"{headers}From: <{ALIAS}>\r\nSubject: x\r\n\r\nHallo".encode()


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        # what came with the mail stands below, and proves nothing
        (["mx.shop.example; dkim=fail header.d=amazon.de", checked("amazon.de", "pass", "mx.amazon.de")], "imitation"),
        ([checked("amazon.de", "pass"), "forged.example; dkim=fail header.d=amazon.de"], "buyer_message"),
        # only what is aligned with From
        (["mx; dkim=pass header.d=amazonses.com; dkim=fail header.d=amazon.de"], "imitation"),
        (["mx; dkim=fail header.d=amazonses.com; dkim=pass header.d=amazon.de"], "buyer_message"),
        (["mx; dkim=fail header.d=list.example; spf=fail smtp.mailfrom=bounces.amazon.de"], "buyer_message"),
        (["mx; dkim=pass header.d=evil.example; dmarc=fail (p=quarantine; dis=none)"], "imitation"),
        (["mx; spf=softfail; dmarc=pass header.from=marketplace.amazon.de; dkim=fail header.d=amazon.de"],
         "buyer_message"),
        (["mx; dkim=fail (body hash) header.i=@amazon.de header.s=x"], "imitation"),
        (['mx; dkim=fail reason="a;b" header.d=amazon.de'], "imitation"),
        (["mx; dkim=fail header.d=notamazon.de"], "buyer_message"),
        (["mx; none"], "buyer_message"),
        ([""], "buyer_message"),
    ],
)  # fmt: skip
def test_only_the_topmost_aligned_result_counts(results: list[str], expected: str) -> None:
    assert explain(with_results(*results)).kind == expected


def test_with_named_servers_only_theirs_count(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = mail_rules.rules().model_copy(update={"authentication_servers": ("mx.shop.example",)})
    monkeypatch.setattr("amazon_support.mail.senders.rules", lambda: ours)
    stranger = "gateway.example; dkim=fail header.d=amazon.de"
    assert explain(with_results(stranger)).kind == "buyer_message"
    assert explain(with_results(stranger, "MX.shop.example 1; dkim=fail header.d=amazon.de")).kind == "imitation"


@pytest.mark.parametrize(
    "headers",
    [
        "From: donotreply@amazon.de\r\nFrom: x@bulk.example\r\n",
        "From: x@bulk.example\r\nFrom: donotreply@amazon.de\r\n",
        "From: donotreply@amazon.de, x@bulk.example\r\n",
        "From: donotreply@amazon.de <x@bulk.example>\r\n",
    ],
)
def test_two_senders_of_which_one_is_amazon_are_an_imitation(headers: str) -> None:
    assert explain(f"{headers}Subject: Your e-mail to Mia\r\n\r\nx".encode()).kind == "imitation"
