"""Every mail has exactly one kind, found by the strongest signal that speaks."""

import pytest
from mail_builders import ALIAS, BUYER, LINK, ORDER, SUBJECT, framed, framed_html, mail, reply_html, report

from amazon_support.mail import MailFacts, explain
from amazon_support.mail.rules import rules

DE = "haendler-benachrichtigungen@amazon.de"
DONOTREPLY = "donotreply@amazon.com"


def seen(*arguments: object, **options: object) -> MailFacts:
    return explain(mail(*arguments, **options))  # type: ignore[arg-type]


BY_SUBJECT = [
    ("order_notice", DE, "Artikel verkauft - Bitte jetzt verschicken: TEA-1 Teekanne Garantie A-bis-z"),
    ("order_notice", "seller-notification@amazon.com", "Sold, dispatch now: TEA-1 Return request mug"),
    ("order_notice", "seller-notification@amazon.co.jp", "注文確定：TEA-1 急須"),
    ("return_request", DONOTREPLY, f"Return request for order {ORDER}"),
    ("return_request", "notification-vendeur@amazon.fr", f"Demande de retour pour la commande {ORDER}"),
    ("refund_notice", DE, f"Erstattung für Bestellung {ORDER} veranlasst"),
    ("refund_notice", "seller-notification@amazon.co.jp", f"注文番号 {ORDER} の返金のお知らせ"),
    ("amazon_information", DONOTREPLY, f"Refund initiated for order {ORDER}"),
    ("amazon_information", DONOTREPLY, "Fulfillment by Amazon: your shipment has been received"),
    ("cancellation_request", "notifica-venditore@amazon.it", f"L'acquirente chiede di annullare l'ordine {ORDER}"),
    ("cancellation_request", "notificacion-vendedor@amazon.es", f"El comprador solicita cancelar el pedido {ORDER}"),
    ("a_to_z_opened", DONOTREPLY, f"A-to-z Guarantee claim received for order {ORDER}"),
    # It speaks of a refund request and means a claim.
    ("a_to_z_opened", "notifica-venditore@amazon.it", f"Richiesta di rimborso Garanzia dalla A alla Z, ordine {ORDER}"),
    ("a_to_z_decided", DE, f"Entscheidung über den A-bis-z-Garantieantrag für Bestellung {ORDER}"),
    ("a_to_z_opened", "atoz-guarantee-no-reply@amazon.com", "Please represent your case"),
    ("a_to_z_decided", "atoz-guarantee-no-reply@amazon.com", "A-to-z claim: decision"),
    ("chargeback", "cb-seller-notification@amazon.com", "Please answer within 7 days"),
    ("chargeback", "cb-seller-query@amazon.com", "Decision in your favour"),
    ("feedback_notice", DONOTREPLY, f"A buyer left feedback for order {ORDER}: 1 out of 5 stars"),
    ("performance_notification", "seller-performance@amazon.com", "About your account"),
    ("performance_notification", "no-reply@amazon.de", "Notice: Your listing(s) have been removed"),
    ("performance_notification", "no-reply@sellernotifications.amazon.com", "Policy warning"),
    ("case_update", "merch.service05@amazon.com", "Missing units"),
    ("case_update", "no-reply@amazon.de", "RE:[CASE 1234567890] Return request for removed units"),
    ("system_qa", "community-help@amazon.com", "A customer asked a question about Return request mug"),
    ("buyer_opted_out", "auto-communication@amazon.com", "Your message"),
    ("delivery_failure", "donotreply@amazon.de", "Ihre Nachricht an Mia Muster konnte nicht zugestellt werden"),
    ("delivery_failure", "nobody@bounces.amazon.com", "We were unable to deliver your message"),
    ("reply_copy", "donotreply@amazon.com", "Your e-mail to Mia Muster"),
    ("reply_copy", "donotreply@amazon.de", "Ihre E-Mail an Mia Muster"),
    ("reply_copy", "donotreply@amazon.fr", "Votre e-mail à Éloïse Haddad"),
    ("reply_copy", "donotreply@amazon.it", "La tua e-mail a Giada Foschi"),
    ("reply_copy", "donotreply@amazon.es", "Tu correo electrónico a Nerea Ibáñez"),
    ("reply_copy", "donotreply@amazon.co.jp", "桜庭美咲様へのEメール"),
    ("buyer_message", "cs-reply@amazon.de", "An inquiry from one of our customers"),
    ("amazon_information", "no-reply@amazon.de", "Your weekly business summary"),
    ("unknown", "someone@webmail.example", "Question about the lamp"),
    ("unknown", "someone@webmail.example", "Your e-mail to Mia Muster"),
]


@pytest.mark.parametrize(("kind", "sender", "subject"), BY_SUBJECT)
def test_sender_and_subject_tell_the_kind(kind: str, sender: str, subject: str) -> None:
    assert seen(sender, subject, "Hello").kind == kind


@pytest.mark.parametrize("tag", ["Re: ", "AW: ", "[Important] ", "[Wichtig] Re: "])
def test_what_stands_before_a_subject_does_not_matter(tag: str) -> None:
    assert seen("donotreply@amazon.com", tag + "Your e-mail to Mia Muster", "Hello").kind == "reply_copy"


BUYERS_SUBJECTS = [
    "Inquiry from Amazon customer Mia Muster (Order: 102-1234567-1234567)",
    "Additional information required from Amazon customer Mia(Order: 102-1234567-1234567)",
    "Paket nicht angekommen: Anfrage von Amazon-Kunde Mia(Bestellung: 301-1234567-1234567)",
    "Demande de renseignements de la part du client Amazon Mia (Commande : 402-1234567-1234567)",
    "Richiesta di informazioni da parte del cliente Amazon Mia (Ordine: 402-1234567-1234567)",
    "Pregunta del cliente de Amazon Mia (Pedido: 402-1234567-1234567)",
    "Amazonのお客様Mia様からのお問い合わせ（注文番号： 503-1234567-1234567）",
    "Something that nobody has ever seen",
    f"Return request for order {ORDER}",
    "Your e-mail to Mia Muster",
]


@pytest.mark.parametrize("subject", BUYERS_SUBJECTS)
def test_what_comes_through_the_relay_is_a_buyers_message(subject: str) -> None:
    facts = seen(BUYER, subject, framed())
    assert (facts.kind, facts.direction, facts.is_automatic) == ("buyer_message", "inbound", False)
    assert facts.confidence > 0.9


@pytest.mark.parametrize(("notification", "kind"), rules().notification_types.items())
def test_the_notification_header_wins_over_subject_and_sender(notification: str, kind: str) -> None:
    headers = [("X-Space-Notification-Type", notification)]
    facts = seen("donotreply@amazon.com", "Action required", "Hello", headers=headers)
    assert facts.kind == kind
    assert f"header:{notification}" in facts.signals


@pytest.mark.parametrize("name", ["communicationName", "nt", "customAttribute1Value"])
@pytest.mark.parametrize(("notification", "kind"), rules().notification_types.items())
def test_a_footer_link_stands_in_for_a_missing_header(name: str, notification: str, kind: str) -> None:
    link = f"https://www.amazon.de/survey?ie=UTF8&amp;{name}={notification}"
    assert seen("donotreply@amazon.de", "Hallo", html=f"<p>Hallo</p><a href='{link}'>Umfrage</a>").kind == kind


def test_a_link_to_another_host_tells_nothing() -> None:
    html = "<a href='https://amazon.de.evil.example/?nt=REFUND_ISSUED'>x</a>"
    assert seen("donotreply@amazon.de", "Hallo", html=html).kind == "amazon_information"


def test_an_unknown_notification_type_is_noted_and_the_other_signals_decide() -> None:
    headers = [("X-Space-Notification-Type", "BRAND_NEW_THING")]
    facts = seen("donotreply@amazon.com", "Your e-mail to Mia", "Hello", headers=headers)
    assert facts.kind == "reply_copy"
    assert "header:unknown:BRAND_NEW_THING" in facts.signals


def test_a_header_from_anybody_else_counts_nothing() -> None:
    headers = [("X-Space-Notification-Type", "REFUND_ISSUED")]
    assert seen("someone@webmail.example", "Refund issued", "Hello", headers=headers).kind == "unknown"


def test_the_relay_wins_over_the_notification_header() -> None:
    headers = [("X-Space-Notification-Type", "REFUND_ISSUED")]
    assert seen(BUYER, SUBJECT, framed(), headers=headers).kind == "buyer_message"


def test_a_refund_notice_with_list_unsubscribe_is_still_one() -> None:
    headers = [("List-Unsubscribe", "<https://sellercentral.amazon.de/preferences>")]
    assert seen(DE, f"Erstattung für Bestellung {ORDER}", "Betrag: 119,00 €", headers=headers).kind == "refund_notice"


def test_donotreply_with_a_frame_is_a_copy_of_our_reply_whatever_the_language() -> None:
    html = reply_html("Kiitos viestistäsi.", "Viestisi:", "Viesti loppuu", above=f"{ORDER}")
    facts = seen("donotreply@amazon.se", "Sähköpostisi: Mia Muster", html=html)
    assert (facts.kind, facts.direction, facts.text) == ("reply_copy", "outbound", "Kiitos viestistäsi.")
    assert facts.confidence < 0.7


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("delivery_failure", "We were unable to deliver the message you sent to Mia."),
        ("buyer_opted_out", "The buyer has chosen to opt out of unsolicited messages."),
    ],
)
def test_the_text_tells_when_nothing_else_does(kind: str, text: str) -> None:
    assert seen("donotreply@amazon.com", "About your message", text).kind == kind


# ---------- machines


def test_a_delivery_report_is_a_delivery_failure_and_names_what_it_is_about() -> None:
    facts = explain(report())
    assert (facts.kind, facts.direction, facts.is_automatic) == ("delivery_failure", "system", True)
    assert facts.in_reply_to == "<ours@shop.example>"
    assert facts.order_ids == (ORDER,)
    assert facts.buyer_alias == ALIAS
    assert facts.marketplace == "DE"


@pytest.mark.parametrize("action", ["delayed", "delivered"])
def test_a_report_of_delay_or_success_is_no_failure(action: str) -> None:
    facts = explain(report(action))
    assert (facts.kind, facts.is_automatic) == ("unknown", True)


def test_an_old_mail_server_reports_in_plain_text() -> None:
    assert seen("MAILER-DAEMON@mx.shop.example", "Undelivered Mail Returned to Sender", "sorry").kind == (
        "delivery_failure"
    )


@pytest.mark.parametrize(
    "header",
    [
        ("Auto-Submitted", "auto-replied"),
        ("Auto-Submitted", "auto-generated; owner-email=x@y.example"),
        ("X-Amazon-Auto-Reply", "true"),
        ("Precedence", "auto_reply"),
    ],
)
@pytest.mark.parametrize("sender", [BUYER, "donotreply@amazon.de"])
def test_automatic_mail_is_no_message_and_no_answer(sender: str | tuple[str, str], header: tuple[str, str]) -> None:
    facts = seen(sender, "Ihre E-Mail an Mia", "Ich bin im Urlaub.", headers=[header])
    assert facts.is_automatic
    assert "automatic" in facts.signals


def test_auto_submitted_no_was_written_by_a_person() -> None:
    assert not seen(BUYER, SUBJECT, framed(), headers=[("Auto-Submitted", "no")]).is_automatic


# ---------- signals


def test_signals_hold_no_personal_data() -> None:
    facts = seen(BUYER, SUBJECT, framed(), framed_html())
    said = " ".join(facts.signals)
    assert not any(private in said for private in ("Mia", "Muster", "k2j4h6g8f1d3", ORDER, LINK))
    assert "from:relay" in facts.signals
    assert "auth:pass" in facts.signals
