"""What the person wrote: all of it, and nothing that Amazon or older mail put around it."""

import pytest
from mail_builders import (
    ABOVE,
    BUYER,
    DASHES,
    FOOTER,
    LINK,
    ORDER,
    REPORT,
    SUBJECT,
    WORDS,
    framed,
    framed_html,
    mail,
    reply_html,
)  # fmt: skip

from amazon_support.mail import explain

FRAMES = [
    ("en", "Begin message", "End message", "Where is my teapot?"),
    ("en", "Message:", "End of message", "Where is my teapot?"),
    ("de", "Anfang der Nachricht", "Ende der Nachricht", "Wo ist meine Teekanne?"),
    ("de", "Nachricht:", "Ende der Nachricht", "Wo ist meine Teekanne?"),
    ("fr", "Début du message", "Fin du message", "Où est ma théière ?"),
    ("fr", "Message :", "Fin du message", "Où est ma théière ?"),
    ("it", "Inizio messaggio", "Fine messaggio", "Dov'è la mia teiera?"),
    ("it", "Messaggio:", "Fine del messaggio", "Dov'è la mia teiera?"),
    ("es", "Iniciar mensaje", "Finalizar mensaje", "¿Dónde está mi tetera?"),
    ("es", "Mensaje:", "Fin del mensaje", "¿Dónde está mi tetera?"),
    ("ja", "メッセージはここから", "メッセージはここまで", "急須はどこですか。"),
    (None, "Alku :", "Viesti loppuu", "Missä teekannuni on?"),
    (None, "Message:", "", "Missä teekannuni on?"),
    (None, "Viesti:", "", "Missä teekannuni on?"),
]


def words(text: str | None = None, html: str | None = None, **options: object) -> str:
    return explain(mail(BUYER, SUBJECT, text, html, **options)).text  # type: ignore[arg-type]


@pytest.mark.parametrize(("language", "begin", "end", "said"), FRAMES)
def test_the_frame_is_found_in_every_language(language: str | None, begin: str, end: str, said: str) -> None:
    facts = explain(mail(BUYER, SUBJECT, framed(said, begin, end)))
    assert facts.text == said
    if language:
        assert f"frame:{language}" in facts.signals
    assert facts.no_response_link == LINK


@pytest.mark.parametrize(("language", "begin", "end", "said"), FRAMES)
def test_the_frame_is_found_when_all_is_one_line(language: str | None, begin: str, end: str, said: str) -> None:
    if end:
        assert words(" ".join(framed(said, begin, end).split())) == said


@pytest.mark.parametrize(("language", "begin", "end", "said"), FRAMES)
def test_the_block_in_html_needs_no_words(language: str | None, begin: str, end: str, said: str) -> None:
    facts = explain(mail(BUYER, SUBJECT, None, framed_html(said, begin, end)))
    assert (facts.text, facts.no_response_link) == (said, LINK)


@pytest.mark.parametrize("shape", ["{d}{w}{d}", "{d}   {w}   {d}", "----- {w} -----", "—————— {w} ——————"])
def test_the_spacing_and_kind_of_dashes_do_not_matter(shape: str) -> None:
    begin, end = (shape.format(d=DASHES, w=word) for word in ("Begin message", "End message"))
    assert words(f"{ABOVE}\n{begin}\nHello\n{end}\n{FOOTER}") == "Hello"


def test_the_oldest_frames_are_two_lines_of_dashes() -> None:
    assert words(f"{ABOVE}\n\n{DASHES}\n\nHello\n\n{DASHES}\n\n{FOOTER}") == "Hello"


def test_the_block_keeps_lines_and_spaces_and_resolves_entities() -> None:
    assert words(None, framed_html("a &lt;b&gt;  c\n\n  d &amp; e")) == "a <b>  c\n\n  d & e"


def test_the_html_block_is_believed_over_a_text_part_that_differs() -> None:
    assert words("This message requires HTML.", framed_html()) == WORDS


def test_the_text_part_is_read_where_html_has_no_frame() -> None:
    assert words(framed(), "<p>Open Seller Central.</p>") == WORDS


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "utf-8"])
def test_european_character_sets(charset: str) -> None:
    assert words(framed("Größe Ähm?"), charset=charset) == "Größe Ähm?"


@pytest.mark.parametrize("charset", ["iso-2022-jp", "shift_jis", "euc-jp", "utf-8"])
@pytest.mark.parametrize("declared", [True, False])
def test_japanese_character_sets_named_or_not(charset: str, declared: bool) -> None:
    said = "急須が届きません。どこにありますか。"
    body = f"{DASHES}メッセージはここから{DASHES}\n{said}\n{DASHES}メッセージはここまで{DASHES}\n".encode(charset)
    content_type = f"Content-Type: text/plain; charset={charset}\r\n" if declared else ""
    facts = explain(f"From: <a1b2c3d4@marketplace.amazon.co.jp>\r\n{content_type}\r\n".encode() + body)
    assert (facts.text, facts.language) == (said, "ja")


@pytest.mark.parametrize("declared", ["us-ascii", "iso-8859-1", "no-such-charset", "utf-8"])
def test_a_wrong_character_set_does_not_spoil_utf8(declared: str) -> None:
    head = f"From: <a1b2c3d4@marketplace.amazon.de>\r\nContent-Type: text/plain; charset={declared}\r\n\r\n"
    assert explain(head.encode() + "Größe?".encode()).text == "Größe?"


def test_latin_bytes_called_utf8_are_read_as_latin() -> None:
    head = b"From: <a1b2c3d4@marketplace.amazon.de>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    assert explain(head + "Größe?".encode("latin-1")).text == "Größe?"


# ---------- quotes

OURS = "Guten Tag, der Ersatz ist unterwegs."
QUOTED_FRAME = f"{DASHES} Ihre Nachricht: {DASHES}\n\n{OURS}\n\n{DASHES} Ende der Nachricht {DASHES}\n{FOOTER}"
ANNOUNCED = [
    "On Tue, 10 Mar 2026 at 12:00, Support <s@shop.example> wrote:",
    "On Tue, 10 Mar 2026 at 12:00, Support\n<s@shop.example> wrote:",
    "Am 10.03.2026 um 12:00 schrieb Support <s@shop.example>:",
    "Le 10 mars 2026 à 12:00, Support a écrit :",
    "Il giorno mar 10 mar 2026 Support ha scritto:",
    "El mar, 10 mar 2026, Support escribió:",
    "2026年3月10日(火) 12:00 Support <s@shop.example>:",
    "10.3.2026 klo 12.00 Support kirjoitti:",
]


def quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


@pytest.mark.parametrize("line", ANNOUNCED)
def test_an_answer_from_a_mail_program_stands_above_our_own_quoted_words(line: str) -> None:
    facts = explain(mail(BUYER, f"Re: {SUBJECT}", f"Danke, ist da!\n\n{line}\n{quoted(QUOTED_FRAME)}"))
    assert facts.text == "Danke, ist da!"
    assert "frame:quoted" in facts.signals
    assert facts.no_response_link is None


@pytest.mark.parametrize(
    "header",
    [
        "-----Original Message-----\nFrom: Support",
        "-----Ursprüngliche Nachricht-----\nVon: Support",
        "From: Amazon <donotreply@amazon.de>\nSent: Tuesday\nTo: Mia\nSubject: Your e-mail",
        "Von: Amazon <donotreply@amazon.de>\nGesendet: Dienstag\nAn: Mia\nBetreff: Ihre E-Mail",
        "*De :* Amazon\n*Envoyé :* mardi\n*À :* Mia\n*Objet :* x",
        "差出人: Amazon\n送信日時: 2026年3月10日\n宛先: Mia\n件名: x",
    ],
)
def test_older_mail_below_a_block_of_headers_is_not_the_buyers(header: str) -> None:
    assert words(f"Danke, ist da!\n\n{header}\n\n{QUOTED_FRAME}") == "Danke, ist da!"


def test_a_quote_in_html_is_not_the_buyers() -> None:
    quote = f"<div>Am 10.03.2026 schrieb Support:</div><blockquote>{framed_html(OURS)}</blockquote>"
    html = f"<div>Danke, ist da!</div>{quote}"
    assert words(None, html) == "Danke, ist da!"


def test_our_block_in_a_quote_is_not_the_buyers_words() -> None:
    html = f"<p>Danke!</p><div class='gmail_quote'>Am Dienstag schrieb Support:<br>{framed_html(OURS)}</div>"
    assert words(None, html) == "Danke!"


def test_older_mail_inside_the_frame_is_cut_off_as_well() -> None:
    inside = f"Und noch etwas.\n\n{ANNOUNCED[0]}\n{quoted('Guten Tag')}"
    assert words(framed(inside)) == "Und noch etwas."


def test_answers_between_quoted_lines_are_kept() -> None:
    assert words(framed("> Welche Farbe?\nRot.\n> Welche Größe?\nKlein.")) == "Rot.\nKlein."


@pytest.mark.parametrize("text", ["> Hallo, wo ist es?", f"{ANNOUNCED[0]}\n> Hallo, wo ist es?"])
def test_if_removing_quotes_leaves_nothing_the_text_stays(text: str) -> None:
    assert "Hallo, wo ist es?" in words(framed(text))
    assert "Hallo, wo ist es?" in words(text)


@pytest.mark.parametrize(
    "text", ["From: the shop I expected more.", "On the box someone wrote:\nfragile", "a -- b", "> 5"]
)
def test_what_only_looks_like_a_quote_stays(text: str) -> None:
    assert words(framed(text)) == text


# ---------- what must never be among the words


@pytest.mark.parametrize(
    "build",
    [
        framed,
        lambda: " ".join(framed().split()),
        lambda: f"Hallo\n\n{FOOTER}",
        lambda: " ".join(f"Hallo {FOOTER}".split()),
        lambda: framed(begin="???", end=""),
    ],
)
def test_no_footer_and_no_signed_link(build: object) -> None:
    said = words(build())  # type: ignore[operator]
    assert said
    assert not any(part in said for part in (LINK, REPORT, "commMgrTok", "Copyright", "SPC-"))


def test_a_buyer_who_pastes_the_end_of_a_frame_and_a_link_changes_nothing() -> None:
    fake = "https://sellercentral.amazon.de/messaging/no-response-needed?t=OTHER"
    pasted = f"Hallo\n{DASHES} Ende der Nachricht {DASHES}\n{fake}\nund noch etwas"
    for raw in (mail(BUYER, SUBJECT, framed(pasted)), mail(BUYER, SUBJECT, None, framed_html(pasted))):
        facts = explain(raw)
        assert facts.no_response_link == LINK
        assert facts.text.startswith("Hallo") and facts.text.endswith("und noch etwas")
        assert fake not in facts.text


def test_dashes_in_the_buyers_own_words_stay() -> None:
    assert words(framed("Erstens\n----------\nZweitens")) == "Erstens\n----------\nZweitens"
    assert words("Hallo\n----------\nwo ist es?\n----------\nMia") == "Hallo\n----------\nwo ist es?\n----------\nMia"


def test_a_link_of_the_buyers_own_stays() -> None:
    said = "Siehe https://www.amazon.de/dp/B000000001?x=1"
    assert words(framed(said)) == said


# ---------- other mail from people


@pytest.mark.parametrize("language", ["de", "en"])
def test_copies_of_our_replies(language: str) -> None:
    said = "Guten Tag,\n\nder Ersatz ist unterwegs.\n\nSupport"
    begin, end = {"de": ("Ihre Nachricht:", "Ende der Nachricht"), "en": ("Your message:", "End message")}[language]
    facts = explain(mail("donotreply@amazon.de", "Ihre E-Mail an Mia Muster", None, reply_html(said, begin, end)))
    assert " ".join(facts.text.split()) == " ".join(said.split())
    assert (facts.kind, facts.direction, facts.buyer_name) == ("reply_copy", "outbound", "Mia Muster")


@pytest.mark.parametrize("sender", [BUYER, ("Amazon Customer Service", "cs-reply@amazon.de")])
def test_customer_service_writing_for_a_buyer(sender: tuple[str, str]) -> None:
    text = (
        f"Dear seller,\n\nOrder#: {ORDER}\nItem: Teapot\nReason: Order information\nDetails: Where is it?\n\nMia\n\n"
        "Please answer the customer directly.\nAmazon Customer Service"
    )
    facts = explain(mail(sender, "An inquiry from one of our customers", text))
    assert (facts.kind, facts.text, facts.order_ids) == ("buyer_message", "Where is it?\n\nMia", (ORDER,))


def test_amazons_own_notices_keep_their_text() -> None:
    table = "<table><tr><th>SKU</th><th>Grund</th></tr><tr><td>TEA</td><td>Defekt</td></tr></table>"
    html = f"<ul><li><b>Order\nID:</b> {ORDER}</li></ul>{table}"
    facts = explain(mail("donotreply@amazon.de", "Rücksendeantrag", None, html))
    assert facts.text == f"Order ID: {ORDER}\nSKU\tGrund\nTEA\tDefekt"


def test_nothing_hidden_in_html_is_read() -> None:
    assert words(None, "<style>p{}</style><script>x()</script><p>Hallo</p><p style='display: none'>nein</p>") == "Hallo"
