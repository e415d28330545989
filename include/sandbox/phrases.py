"""What the invented people write, and the words Amazon puts around it: sites, names, products, phrases by language."""

from dataclasses import dataclass

from sandbox.amazon_marketplaces import MARKETPLACES


@dataclass(frozen=True)
class Site:
    """One Amazon marketplace as buyers see it. `address`: city, state, postal code; `price_factor`: of a euro price."""

    country: str
    marketplace_id: str
    domain: str
    language: str
    currency: str
    price_factor: float
    address: tuple[str, str, str]

    @property
    def ship_country(self) -> str:
        return "GB" if self.country == "UK" else self.country


# Euro prices are multiplied by the figure; nobody lives in these towns.
_TOWNS: dict[str, tuple[float, str, str, str]] = {
    "US": (1.1, "Fairhaven", "OR", "97000"),
    "CA": (1.5, "Maple Bay", "ON", "K0A 0A0"),
    "MX": (20.0, "Villa Nueva", "JAL", "44000"),
    "BR": (6.0, "Porto Claro", "SP", "01000-000"),
    "UK": (0.9, "Ashbourne Vale", "", "ZZ1 1ZZ"),
    "DE": (1.0, "Neustadt am Hang", "", "99990"),
    "FR": (1.0, "Saint-Aubin-le-Pré", "", "99100"),
    "IT": (1.0, "Borgo San Dario", "XX", "99010"),
    "ES": (1.0, "Villar del Río", "", "99020"),
    "NL": (1.0, "Nieuwdam", "", "9999 ZZ"),
    "SE": (11.0, "Norrvik", "", "999 90"),
    "PL": (4.3, "Nowa Dolina", "", "99-999"),
    "BE": (1.0, "Neuville-sur-Eau", "", "9999"),
    "IE": (1.0, "Ballyclare West", "", "Z99 ZZ99"),
    "TR": (40.0, "Yenikoy", "", "99990"),
    "AE": (4.0, "Al Noor", "", "00000"),
    "SA": (4.1, "Al Waha", "", "99999"),
    "EG": (52.0, "Madinat Noor", "", "99999"),
    "IN": (92.0, "Navapur", "MH", "999999"),
    "ZA": (20.0, "Kaapvallei", "", "9999"),
    "JP": (160.0, "架空市", "東京都", "999-9999"),
    "AU": (1.7, "Wattle Creek", "NSW", "2999"),
    "SG": (1.5, "Singapore", "", "999999"),
}
SITES: dict[str, Site] = {
    country: Site(
        country=country,
        marketplace_id=MARKETPLACES[country].id,
        domain=MARKETPLACES[country].domain.removeprefix("www."),
        language=MARKETPLACES[country].language[:2],
        currency=MARKETPLACES[country].currency,
        price_factor=price_factor,
        address=(city, state, postal_code),
    )
    for country, (price_factor, city, state, postal_code) in _TOWNS.items()
}


@dataclass(frozen=True)
class Product:
    """An invented product: its stem of SKUs, its price in euros, its title by language (en is the fallback)."""

    stem: str
    price: float
    titles: dict[str, str]


PRODUCTS = (
    Product(
        "LAMP-40",
        39.9,
        {
            "en": "Luvano Desk Lamp LED, dimmable, 40 cm, black",
            "de": "Luvano Schreibtischlampe LED, dimmbar, 40 cm, schwarz",
            "fr": "Luvano Lampe de bureau LED, intensité réglable, 40 cm, noire",
            "it": "Luvano Lampada da scrivania LED, regolabile, 40 cm, nera",
            "es": "Luvano Lámpara de escritorio LED, regulable, 40 cm, negra",
            "ja": "Luvano LEDデスクライト 調光式 40cm ブラック",
        },
    ),
    Product(
        "KTL-17",
        54.0,
        {
            "en": "Tarnwell Kettle 1.7 l, stainless steel, keep-warm",
            "de": "Tarnwell Wasserkocher 1,7 l, Edelstahl, Warmhaltefunktion",
            "fr": "Tarnwell Bouilloire 1,7 l, inox, maintien au chaud",
            "it": "Tarnwell Bollitore 1,7 l, acciaio inox, mantiene caldo",
            "es": "Tarnwell Hervidor 1,7 l, acero inoxidable, mantiene caliente",
            "ja": "Tarnwell 電気ケトル 1.7L ステンレス 保温機能付き",
        },
    ),
    Product(
        "BPK-22",
        72.5,
        {
            "en": "Ostrava Trail Backpack 22 l, rain cover, moss green",
            "de": "Ostrava Trail Rucksack 22 l, Regenhülle, moosgrün",
            "fr": "Ostrava Trail Sac à dos 22 l, housse de pluie, vert mousse",
            "it": "Ostrava Trail Zaino 22 l, telo antipioggia, verde muschio",
            "es": "Ostrava Trail Mochila 22 l, funda para lluvia, verde musgo",
            "ja": "Ostrava トレイルバックパック 22L レインカバー付き モスグリーン",
        },
    ),
    Product(
        "USB-6C",
        14.99,
        {
            "en": "Pell & Roe USB-C Cable, 2 m, braided, pack of 2",
            "de": "Pell & Roe USB-C Kabel, 2 m, geflochten, 2 Stück",
            "fr": "Pell & Roe Câble USB-C, 2 m, tressé, lot de 2",
            "it": "Pell & Roe Cavo USB-C, 2 m, intrecciato, 2 pezzi",
            "es": "Pell & Roe Cable USB-C, 2 m, trenzado, 2 unidades",
            "ja": "Pell & Roe USB-Cケーブル 2m 編み込み 2本セット",
        },
    ),
    Product(
        "YOGA-6",
        29.9,
        {
            "en": "Quellin Yoga Mat 183 x 61 cm, 6 mm, non-slip",
            "de": "Quellin Yogamatte 183 x 61 cm, 6 mm, rutschfest",
            "fr": "Quellin Tapis de yoga 183 x 61 cm, 6 mm, antidérapant",
            "it": "Quellin Tappetino yoga 183 x 61 cm, 6 mm, antiscivolo",
            "es": "Quellin Esterilla de yoga 183 x 61 cm, 6 mm, antideslizante",
            "ja": "Quellin ヨガマット 183x61cm 厚さ6mm 滑り止め",
        },
    ),
    Product(
        "CST-05",
        119.0,
        {
            "en": "Brasswood Cast Iron Casserole 5 l, with lid, red",
            "de": "Brasswood Gusseisen-Bräter 5 l, mit Deckel, rot",
            "fr": "Brasswood Cocotte en fonte 5 l, avec couvercle, rouge",
            "it": "Brasswood Casseruola in ghisa 5 l, con coperchio, rossa",
            "es": "Brasswood Cazuela de hierro fundido 5 l, con tapa, roja",
            "ja": "Brasswood 鋳鉄鍋 5L ふた付き レッド",
        },
    ),
)


@dataclass(frozen=True)
class Language:
    """Everything said in one language. `{name}`, `{order}`, `{title}` and the like are filled in."""

    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    # what people write
    greetings: tuple[str, ...]
    closings: tuple[str, ...]
    questions: tuple[str, ...]
    presale: tuple[str, ...]
    again: tuple[str, ...]
    thanks: tuple[str, ...]
    replies: tuple[str, ...]
    away: str
    # what Amazon puts around a message
    subjects: tuple[str, ...]
    order_in_subject: str
    intro: str
    order_line: str
    item_line: str
    frames: tuple[tuple[str, str], ...]
    resolve: str
    report: str
    copyright: str
    reply_subject: str
    reply_intro: str
    reply_frame: tuple[str, str]
    quote: str
    # notices: subject by kind, labels, phrases
    notices: dict[str, str]
    labels: dict[str, str]
    reasons: tuple[str, ...]
    comments: tuple[str, ...]


LANGUAGES: dict[str, Language] = {
    "en": Language(
        first_names=("Alice", "Marcus", "Priya", "Owen", "Zoë", "Hannah", "Tobias", "Renee", "Callum", "Ines"),
        last_names=("Harrow", "O'Dell", "Whitcombe", "Marlowe", "Sandoval", "Pruitt", "Kaminsky", "Yates"),
        greetings=("Hello,", "Hi there,", "Dear seller,", "Good morning,"),
        closings=("Thank you", "Best regards", "Thanks in advance", "Please answer soon"),
        questions=(
            "my parcel was marked as delivered yesterday but nothing arrived. Where is it?",
            "the item came with a crack along the side. I have added a photo. What can you do?",
            "I was sent the wrong colour. I would like the one I ordered.",
            "could you send me an invoice with the name of my company on it, please?",
            "when will you ship this? I need it before the weekend. You can call me on 0151-2345678.",
            "it stopped working after three days. I would like a replacement or my money back.",
            "the manual is missing from the box. How do I set the timer?",
            "I ordered this twice by mistake, can you cancel one of them?",
        ),
        presale=(
            "does it come with a plug for the mainland? I could not see it in the description.",
            "is the larger size back in stock this month?",
            "would this be safe to use outdoors in the rain?",
        ),
        again=(
            "I have still not received anything. This is my second message.",
            "that did not help, the problem is the same as before.",
            "one more thing: could you also tell me the tracking number?",
        ),
        thanks=("Thank you, that solved it.", "Great, it arrived today. All good now!", "Many thanks for the help."),
        replies=(
            "thank you for writing. We have asked the carrier and will let you know by tomorrow.",
            "we are sorry for the trouble. A replacement leaves our warehouse today, please keep the first one.",
            "we have refunded the full amount. It takes three to five days until you see it.",
            "please find the answer in the attached manual, page 4. Write to us if anything is unclear.",
        ),
        away="I am out of the office until Monday and will read your message then. This is an automatic reply.",
        subjects=(
            "Inquiry from Amazon customer {name}",
            "Product details inquiry from Amazon customer {name}",
            "Additional information required from Amazon customer {name}",
            "Shipping inquiry from Amazon customer {name}",
        ),
        order_in_subject="(Order: {order})",
        intro="You have received a message.",
        order_line="Order ID {order}:",
        item_line="{quantity} of {title} [ASIN: {asin}]",
        frames=(("Begin message", "End message"), ("Message:", "End message"), ("Message:", "")),
        resolve="No response needed? Mark it here",
        report="Report this message",
        copyright="Copyright {year} Amazon, Inc. or its affiliates. All rights reserved.",
        reply_subject="Your e-mail to {name}",
        reply_intro="This is a copy of the message you sent to {name}.",
        reply_frame=("Your message:", "End of message"),
        quote="On {date}, {name} wrote:",
        notices={
            "return_request": "Return request for order {order}",
            "refund_notice": "Refund issued for order {order}",
            "cancellation_request": "Buyer requests cancellation of order {order}",
            "a_to_z_opened": "A-to-z Guarantee claim received for order {order}",
            "a_to_z_decided": "A-to-z Guarantee claim decision for order {order}",
            "feedback_notice": "A buyer left feedback for order {order}: {rating} out of 5 stars",
            "order_notice": "Sold, ship now: {sku} {title}",
            "delivery_failure": "Your message to {name} could not be delivered",
            "buyer_opted_out": "Your message was not delivered: buyer opted out",
        },
        labels={
            "order": "Order ID",
            "requested": "Request received",
            "policy": "Within return policy",
            "authorisation": "Authorisation",
            "quantity": "Quantity",
            "product": "Product",
            "reason": "Reason",
            "comment": "Customer comment",
            "amount": "Amount",
            "rating": "Rating",
            "deadline": "Respond within {days} days",
            "ship_by": "Ship by",
            "granted": "The claim was granted and your account was charged.",
            "funded": "The claim was granted and funded by Amazon.",
            "denied": "The claim was decided in your favour.",
            "appeal": "You may appeal this decision within 30 days.",
            "unable": "We were unable to deliver the message you sent to {name} for order {order}.",
            "opted_out": "The buyer has chosen to opt out of unsolicited messages from sellers.",
            "yes": "Yes",
        },
        reasons=("Defective item", "Wrong item was sent", "No longer needed", "Arrived too late"),
        comments=("Does not switch on.", "Scratched and the box was open.", "Took two weeks, bought elsewhere."),
    ),
    "de": Language(
        first_names=("Jörg", "Katrin", "Anneliese", "Süleyman", "Friedrich", "Maren", "Björn", "Grit", "Uwe", "Leonie"),
        last_names=("Grünwald", "Hagedorn", "Weißbach", "Kröger", "Yıldız", "Pfannkuch", "Löwe", "Storck"),
        greetings=("Guten Tag,", "Hallo,", "Sehr geehrte Damen und Herren,", "Hallo zusammen,"),
        closings=("Mit freundlichen Grüßen", "Viele Grüße", "Danke im Voraus", "Bitte um schnelle Antwort"),
        questions=(
            "mein Paket soll gestern zugestellt worden sein, ist aber nicht angekommen. Wo ist es?",
            "der Artikel hat einen Riss an der Seite. Ein Foto habe ich angehängt. Was können Sie tun?",
            "ich habe die falsche Farbe bekommen und hätte gern die bestellte.",
            "könnten Sie mir bitte eine Rechnung mit dem Namen meiner Firma schicken?",
            "wann wird verschickt? Ich brauche es vor dem Wochenende. Telefon: 030-1234567-89.",
            "nach drei Tagen ging das Gerät nicht mehr. Ich möchte Ersatz oder mein Geld zurück.",
            "die Anleitung fehlt im Karton. Wie stelle ich den Timer ein?",
            "ich habe versehentlich zweimal bestellt, können Sie eine Bestellung stornieren?",
        ),
        presale=(
            "ist ein Netzteil dabei? In der Beschreibung steht nichts dazu.",
            "kommt die größere Ausführung diesen Monat wieder herein?",
            "kann man das auch draußen bei Regen benutzen?",
        ),
        again=(
            "ich habe immer noch nichts erhalten. Das ist meine zweite Nachricht.",
            "das hat leider nicht geholfen, das Problem besteht weiter.",
            "noch etwas: Können Sie mir auch die Sendungsnummer nennen?",
        ),
        thanks=("Danke, damit ist es erledigt.", "Heute angekommen, alles gut!", "Vielen Dank für die Hilfe."),
        replies=(
            "vielen Dank für Ihre Nachricht. Wir haben beim Paketdienst nachgefragt und melden uns bis morgen.",
            "das tut uns leid. Ein Ersatz verlässt heute unser Lager, den ersten Artikel können Sie behalten.",
            "wir haben den vollen Betrag erstattet. Es dauert drei bis fünf Tage, bis Sie ihn sehen.",
            "die Antwort steht in der Anleitung auf Seite 4. Schreiben Sie uns gern, wenn etwas unklar ist.",
        ),
        away="Ich bin bis Montag nicht im Büro und lese Ihre Nachricht danach. Dies ist eine automatische Antwort.",
        subjects=(
            "Anfrage von Amazon-Kunde {name}",
            "Paket nicht angekommen: Anfrage von Amazon-Kunde {name}",
            "Anfrage zu Produktdetails von Amazon-Kunde {name}",
            "Weitere Informationen benötigt von Amazon-Kunde {name}",
        ),
        order_in_subject="(Bestellung: {order})",
        intro="Sie haben eine Nachricht erhalten.",
        order_line="Bestellnummer {order}:",
        item_line="{quantity} / {title} [ASIN: {asin}]",
        frames=(
            ("Anfang der Nachricht", "Ende der Nachricht"),
            ("Nachricht:", "Ende der Nachricht"),
            ("Nachricht:", ""),
        ),
        resolve="Keine Antwort nötig? Hier kennzeichnen",
        report="Diese Nachricht melden",
        copyright="Copyright {year} Amazon, Inc. oder Tochtergesellschaften. Alle Rechte vorbehalten.",
        reply_subject="Ihre E-Mail an {name}",
        reply_intro="Dies ist eine Kopie der Nachricht, die Sie an {name} gesendet haben.",
        reply_frame=("Ihre Nachricht:", "Ende der Nachricht"),
        quote="Am {date} schrieb {name}:",
        notices={
            "return_request": "Rücksendeantrag für Bestellung {order}",
            "refund_notice": "Erstattung für Bestellung {order} veranlasst",
            "cancellation_request": "Käufer bittet um Stornierung der Bestellung {order}",
            "a_to_z_opened": "A-bis-z-Garantieantrag für Bestellung {order} eingegangen",
            "a_to_z_decided": "Entscheidung über den A-bis-z-Garantieantrag für Bestellung {order}",
            "feedback_notice": "Neue Verkäuferbewertung zu Bestellung {order}: {rating} von 5 Sternen",
            "order_notice": "Artikel verkauft - Bitte jetzt verschicken: {sku} {title}",
            "delivery_failure": "Ihre Nachricht an {name} konnte nicht zugestellt werden",
            "buyer_opted_out": "Ihre Nachricht wurde nicht zugestellt: Käufer hat sich abgemeldet",
        },
        labels={
            "order": "Bestellnummer",
            "requested": "Antrag eingegangen",
            "policy": "Innerhalb der Rückgabefrist",
            "authorisation": "Genehmigung",
            "quantity": "Menge",
            "product": "Produkt",
            "reason": "Grund",
            "comment": "Kommentar des Kunden",
            "amount": "Betrag",
            "rating": "Bewertung",
            "deadline": "Antworten Sie innerhalb von {days} Tagen",
            "ship_by": "Versenden bis",
            "granted": "Dem Antrag wurde stattgegeben, Ihr Konto wurde belastet.",
            "funded": "Dem Antrag wurde stattgegeben, Amazon übernimmt die Kosten.",
            "denied": "Der Antrag wurde zu Ihren Gunsten entschieden.",
            "appeal": "Sie können innerhalb von 30 Tagen Einspruch einlegen.",
            "unable": "Ihre Nachricht an {name} zu Bestellung {order} konnte nicht zugestellt werden.",
            "opted_out": "Der Käufer hat sich von unaufgeforderten Nachrichten der Verkäufer abgemeldet.",
            "yes": "Ja",
        },
        reasons=("Artikel defekt", "Falscher Artikel", "Nicht mehr benötigt", "Zu spät geliefert"),
        comments=("Lässt sich nicht einschalten.", "Zerkratzt, Karton war offen.", "Kam nach zwei Wochen, zu spät."),
    ),
    "fr": Language(
        first_names=("Amélie", "Benoît", "Noémie", "Gaspard", "Éloïse", "Karim", "Solène", "Théo"),
        last_names=("Lefèvre", "Garnier", "Dubreuil", "Maçon", "Pélissier", "Haddad", "Roussel"),
        greetings=("Bonjour,", "Madame, Monsieur,", "Bonsoir,"),
        closings=("Cordialement", "Merci d'avance", "Bien à vous"),
        questions=(
            "mon colis est indiqué comme livré hier mais je n'ai rien reçu. Où est-il ?",
            "l'article est arrivé fêlé sur le côté. J'ai joint une photo. Que proposez-vous ?",
            "vous m'avez envoyé la mauvaise couleur, je voudrais celle que j'ai commandée.",
            "pourriez-vous m'envoyer une facture au nom de mon entreprise ?",
            "quand allez-vous l'expédier ? J'en ai besoin avant le week-end.",
            "il ne marche plus après trois jours. Je souhaite un échange ou un remboursement.",
        ),
        presale=(
            "est-ce qu'un chargeur est fourni ? La description n'en parle pas.",
            "le grand modèle sera-t-il de nouveau en stock ce mois-ci ?",
        ),
        again=(
            "je n'ai toujours rien reçu. C'est mon deuxième message.",
            "cela n'a rien changé, le problème est le même.",
        ),
        thanks=("Merci, c'est réglé.", "Reçu aujourd'hui, tout va bien !"),
        replies=(
            "merci pour votre message. Nous avons interrogé le transporteur et vous répondrons d'ici demain.",
            "nous sommes désolés. Un nouvel article part aujourd'hui, vous pouvez garder le premier.",
            "nous avons remboursé la totalité. Comptez trois à cinq jours.",
        ),
        away="Je suis absent jusqu'à lundi et lirai votre message à mon retour. Ceci est une réponse automatique.",
        subjects=(
            "Demande de renseignements de la part du client Amazon {name}",
            "Demande de détails sur un produit de la part du client Amazon {name}",
        ),
        order_in_subject="(Commande : {order})",
        intro="Vous avez reçu un message.",
        order_line="Numéro de commande {order} :",
        item_line="{quantity} / {title} [ASIN: {asin}]",
        frames=(("Début du message", "Fin du message"), ("Message :", "Fin du message"), ("Message :", "")),
        resolve="Aucune réponse nécessaire ? Indiquez-le ici",
        report="Signaler ce message",
        copyright="Copyright {year} Amazon, Inc. ou ses filiales. Tous droits réservés.",
        reply_subject="Votre e-mail à {name}",
        reply_intro="Voici une copie du message que vous avez envoyé à {name}.",
        reply_frame=("Votre message :", "Fin du message"),
        quote="Le {date}, {name} a écrit :",
        notices={
            "return_request": "Demande de retour pour la commande {order}",
            "refund_notice": "Remboursement effectué pour la commande {order}",
            "cancellation_request": "L'acheteur demande l'annulation de la commande {order}",
            "a_to_z_opened": "Réclamation Garantie A à Z reçue pour la commande {order}",
            "a_to_z_decided": "Décision sur la réclamation Garantie A à Z pour la commande {order}",
            "feedback_notice": "Nouvelle évaluation pour la commande {order} : {rating} étoiles sur 5",
            "order_notice": "Vendu, expédiez maintenant : {sku} {title}",
            "delivery_failure": "Votre message à {name} n'a pas pu être remis",
            "buyer_opted_out": "Votre message n'a pas été remis : l'acheteur s'est désabonné",
        },
        labels={
            "order": "Numéro de commande",
            "requested": "Demande reçue le",
            "policy": "Dans les délais de retour",
            "authorisation": "Autorisation",
            "quantity": "Quantité",
            "product": "Produit",
            "reason": "Motif",
            "comment": "Commentaire du client",
            "amount": "Montant",
            "rating": "Note",
            "deadline": "Répondez sous {days} jours",
            "ship_by": "À expédier avant le",
            "granted": "La réclamation est acceptée et votre compte a été débité.",
            "funded": "La réclamation est acceptée et prise en charge par Amazon.",
            "denied": "La décision est en votre faveur.",
            "appeal": "Vous pouvez faire appel sous 30 jours.",
            "unable": "Nous n'avons pas pu remettre le message envoyé à {name} pour la commande {order}.",
            "opted_out": "L'acheteur a choisi de ne plus recevoir les messages non sollicités des vendeurs.",
            "yes": "Oui",
        },
        reasons=("Article défectueux", "Mauvais article", "Plus nécessaire"),
        comments=("Ne s'allume pas.", "Rayé, carton ouvert."),
    ),
    "it": Language(
        first_names=("Niccolò", "Giada", "Ornella", "Matteo", "Ilaria", "Davide", "Beatrice"),
        last_names=("Bellandi", "Corradi", "D'Amico", "Foschi", "Marangoni", "Tessari"),
        greetings=("Buongiorno,", "Salve,", "Gentile venditore,"),
        closings=("Cordiali saluti", "Grazie in anticipo", "Distinti saluti"),
        questions=(
            "il pacco risulta consegnato ieri ma non è arrivato nulla. Dov'è?",
            "l'articolo è arrivato con una crepa sul lato. Ho allegato una foto. Cosa potete fare?",
            "ho ricevuto il colore sbagliato e vorrei quello ordinato.",
            "potreste inviarmi una fattura intestata alla mia azienda?",
            "dopo tre giorni ha smesso di funzionare. Vorrei la sostituzione o il rimborso.",
        ),
        presale=("l'alimentatore è incluso? Nella descrizione non c'è scritto.", "si può usare all'aperto?"),
        again=("non ho ancora ricevuto nulla. È il mio secondo messaggio.", "non è servito, il problema è lo stesso."),
        thanks=("Grazie, ora è tutto a posto.", "È arrivato oggi, perfetto!"),
        replies=(
            "grazie per averci scritto. Abbiamo chiesto al corriere e rispondiamo entro domani.",
            "ci scusiamo. Oggi parte una sostituzione, il primo articolo può tenerlo.",
            "abbiamo rimborsato l'intero importo. Servono da tre a cinque giorni.",
        ),
        away="Sono fuori ufficio fino a lunedì e leggerò il messaggio al rientro. Questa è una risposta automatica.",
        subjects=(
            "Richiesta di informazioni da parte del cliente Amazon {name}",
            "Richiesta di dettagli sul prodotto da parte del cliente Amazon {name}",
        ),
        order_in_subject="(Ordine: {order})",
        intro="Hai ricevuto un messaggio.",
        order_line="Numero ordine {order}:",
        item_line="{quantity} / {title} [ASIN: {asin}]",
        frames=(("Inizio messaggio", "Fine messaggio"), ("Messaggio:", "Fine del messaggio"), ("Messaggio:", "")),
        resolve="Nessuna risposta necessaria? Indicalo qui",
        report="Segnala questo messaggio",
        copyright="Copyright {year} Amazon, Inc. o società affiliate. Tutti i diritti riservati.",
        reply_subject="Il tuo messaggio e-mail a {name}",
        reply_intro="Questa è una copia del messaggio inviato a {name}.",
        reply_frame=("Il tuo messaggio:", "Fine messaggio"),
        quote="Il {date} {name} ha scritto:",
        notices={
            "return_request": "Richiesta di reso per l'ordine {order}",
            "refund_notice": "Rimborso emesso per l'ordine {order}",
            "cancellation_request": "L'acquirente chiede di annullare l'ordine {order}",
            "a_to_z_opened": "Richiesta di rimborso Garanzia dalla A alla Z per l'ordine {order}",
            "a_to_z_decided": "Decisione sulla richiesta Garanzia dalla A alla Z per l'ordine {order}",
            "feedback_notice": "Nuovo feedback per l'ordine {order}: {rating} stelle su 5",
            "order_notice": "Venduto, spedisci ora: {sku} {title}",
            "delivery_failure": "Il tuo messaggio a {name} non è stato recapitato",
            "buyer_opted_out": "Il tuo messaggio non è stato recapitato: l'acquirente ha rinunciato ai messaggi",
        },
        labels={
            "order": "Numero ordine",
            "requested": "Richiesta ricevuta",
            "policy": "Entro i termini di reso",
            "authorisation": "Autorizzazione",
            "quantity": "Quantità",
            "product": "Prodotto",
            "reason": "Motivo",
            "comment": "Commento del cliente",
            "amount": "Importo",
            "rating": "Valutazione",
            "deadline": "Rispondi entro {days} giorni",
            "ship_by": "Da spedire entro",
            "granted": "La richiesta è stata accolta e addebitata al tuo account.",
            "funded": "La richiesta è stata accolta e finanziata da Amazon.",
            "denied": "La decisione è a tuo favore.",
            "appeal": "Puoi fare ricorso entro 30 giorni.",
            "unable": "Non abbiamo potuto recapitare il messaggio inviato a {name} per l'ordine {order}.",
            "opted_out": "L'acquirente ha scelto di non ricevere messaggi non richiesti dai venditori.",
            "yes": "Sì",
        },
        reasons=("Articolo difettoso", "Articolo sbagliato", "Non più necessario"),
        comments=("Non si accende.", "Graffiato, scatola aperta."),
    ),
    "es": Language(
        first_names=("Lucía", "Íñigo", "Begoña", "Álvaro", "Ximena", "Joaquín", "Nerea", "Hugo"),
        last_names=("Ibáñez", "Peñalver", "Quintana", "Zamorano", "Muñoz", "Ferrándiz"),
        greetings=("Hola,", "Buenos días,", "Estimado vendedor:"),
        closings=("Un saludo", "Gracias de antemano", "Atentamente"),
        questions=(
            "el paquete figura como entregado ayer pero no ha llegado nada. ¿Dónde está?",
            "el artículo ha llegado con una grieta. Adjunto una foto. ¿Qué pueden hacer?",
            "me han enviado el color equivocado, quiero el que pedí.",
            "¿podrían enviarme una factura a nombre de mi empresa?",
            "dejó de funcionar a los tres días. Quiero un cambio o la devolución del dinero.",
        ),
        presale=("¿incluye cargador? En la descripción no lo pone.", "¿habrá la talla grande este mes?"),
        again=("sigo sin recibir nada. Es mi segundo mensaje.", "eso no ha servido, el problema es el mismo."),
        thanks=("Gracias, ya está solucionado.", "Ha llegado hoy, ¡todo bien!"),
        replies=(
            "gracias por escribirnos. Hemos preguntado al transportista y le diremos algo mañana.",
            "lo sentimos. Hoy sale un artículo nuevo, puede quedarse con el primero.",
            "hemos reembolsado el importe completo. Tarda de tres a cinco días.",
        ),
        away="Estoy fuera de la oficina hasta el lunes y leeré su mensaje a la vuelta. Respuesta automática.",
        subjects=(
            "Pregunta del cliente de Amazon {name}",
            "Consulta sobre el envío del cliente de Amazon {name}",
        ),
        order_in_subject="(Pedido: {order})",
        intro="Ha recibido un mensaje.",
        order_line="Número de pedido {order}:",
        item_line="{quantity} / {title} [ASIN: {asin}]",
        frames=(("Iniciar mensaje", "Finalizar mensaje"), ("Mensaje:", "Fin del mensaje"), ("Mensaje:", "")),
        resolve="¿No hace falta responder? Indíquelo aquí",
        report="Denunciar este mensaje",
        copyright="Copyright {year} Amazon, Inc. o sus afiliados. Todos los derechos reservados.",
        reply_subject="Su mensaje de correo electrónico a {name}",
        reply_intro="Esta es una copia del mensaje que ha enviado a {name}.",
        reply_frame=("Su mensaje:", "Fin del mensaje"),
        quote="El {date}, {name} escribió:",
        notices={
            "return_request": "Solicitud de devolución del pedido {order}",
            "refund_notice": "Reembolso emitido para el pedido {order}",
            "cancellation_request": "El comprador solicita cancelar el pedido {order}",
            "a_to_z_opened": "Reclamación de la Garantía de la A a la Z para el pedido {order}",
            "a_to_z_decided": "Decisión sobre la reclamación de la Garantía de la A a la Z, pedido {order}",
            "feedback_notice": "Nueva valoración del pedido {order}: {rating} estrellas de 5",
            "order_notice": "Vendido, envíe ahora: {sku} {title}",
            "delivery_failure": "No se ha podido entregar su mensaje a {name}",
            "buyer_opted_out": "Su mensaje no se ha entregado: el comprador se ha dado de baja",
        },
        labels={
            "order": "Número de pedido",
            "requested": "Solicitud recibida",
            "policy": "Dentro del plazo de devolución",
            "authorisation": "Autorización",
            "quantity": "Cantidad",
            "product": "Producto",
            "reason": "Motivo",
            "comment": "Comentario del cliente",
            "amount": "Importe",
            "rating": "Valoración",
            "deadline": "Responda en {days} días",
            "ship_by": "Enviar antes del",
            "granted": "La reclamación se ha concedido y se ha cargado a su cuenta.",
            "funded": "La reclamación se ha concedido y la paga Amazon.",
            "denied": "La decisión es a su favor.",
            "appeal": "Puede apelar en un plazo de 30 días.",
            "unable": "No hemos podido entregar el mensaje que envió a {name} sobre el pedido {order}.",
            "opted_out": "El comprador ha elegido no recibir mensajes no solicitados de los vendedores.",
            "yes": "Sí",
        },
        reasons=("Artículo defectuoso", "Artículo equivocado", "Ya no lo necesito"),
        comments=("No se enciende.", "Rayado y la caja abierta."),
    ),
    "ja": Language(
        first_names=("美咲", "健太", "陽子", "大輔", "真央", "拓也"),
        last_names=("桜庭", "古賀", "日向野", "水嶋", "早乙女"),
        greetings=("お世話になっております。", "こんにちは。"),
        closings=("よろしくお願いいたします。", "ご返信をお待ちしております。"),
        questions=(
            "昨日配達済みと表示されていますが、荷物が届いていません。どこにありますか。",
            "商品の側面にひびが入っていました。写真を添付します。交換は可能でしょうか。",
            "注文した色と違うものが届きました。正しい色に交換してください。",
            "会社名で領収書を発行していただけますか。",
            "三日で動かなくなりました。交換または返金をお願いします。",
        ),
        presale=("充電器は付属していますか。説明に記載がありませんでした。", "今月中に再入荷の予定はありますか。"),
        again=("まだ届いておりません。二度目のご連絡です。", "教えていただいた方法でも解決しませんでした。"),
        thanks=("ありがとうございます。解決しました。", "本日届きました。ありがとうございました。"),
        replies=(
            "お問い合わせありがとうございます。配送業者に確認し、明日までにご連絡いたします。",
            "ご不便をおかけし申し訳ございません。本日、代わりの商品を発送いたします。",
            "全額を返金いたしました。反映まで三日から五日かかります。",
        ),
        away="月曜日まで不在にしております。戻り次第確認いたします。このメールは自動返信です。",
        subjects=("Amazonのお客様{name}様からのお問い合わせ", "Amazonのお客様{name}様からの商品に関するお問い合わせ"),
        order_in_subject="（注文番号： {order}）",
        intro="メッセージを受信しました。",
        order_line="注文番号 {order}:",
        item_line="{quantity} / {title} [ASIN: {asin}]",
        frames=(("メッセージはここから", "メッセージはここまで"),),
        resolve="返信不要の場合はこちら",
        report="このメッセージを報告する",
        copyright="Copyright {year} Amazon, Inc. or its affiliates. All rights reserved.",
        reply_subject="{name}様へのEメール",
        reply_intro="{name}様に送信されたメッセージのコピーです。",
        reply_frame=("メッセージはここから", "メッセージはここまで"),
        quote="{date} {name}:",
        notices={
            "return_request": "注文番号 {order} の返品リクエスト",
            "refund_notice": "注文番号 {order} の返金のお知らせ",
            "cancellation_request": "注文番号 {order} のキャンセルリクエスト",
            "a_to_z_opened": "注文番号 {order} のAmazonマーケットプレイス保証申請",
            "a_to_z_decided": "注文番号 {order} のAmazonマーケットプレイス保証申請の結果",
            "feedback_notice": "注文番号 {order} の評価: 5つ星のうち{rating}",
            "order_notice": "注文確定：{sku} {title}",
            "delivery_failure": "{name}様へのメッセージを配信できませんでした",
            "buyer_opted_out": "メッセージは配信されませんでした: 購入者が受信を停止しています",
        },
        labels={
            "order": "注文番号",
            "requested": "リクエスト日",
            "policy": "返品期間内",
            "authorisation": "承認",
            "quantity": "数量",
            "product": "商品",
            "reason": "理由",
            "comment": "購入者のコメント",
            "amount": "金額",
            "rating": "評価",
            "deadline": "{days}日以内に回答してください",
            "ship_by": "出荷期限",
            "granted": "申請は承認され、出品者様のアカウントに請求されました。",
            "funded": "申請は承認され、Amazonが負担します。",
            "denied": "出品者様に有利な結果となりました。",
            "appeal": "30日以内に異議を申し立てることができます。",
            "unable": "注文番号 {order} について{name}様に送信されたメッセージを配信できませんでした。",
            "opted_out": "購入者は出品者からのメッセージの受信を停止しています。",
            "yes": "はい",
        },
        reasons=("不良品", "間違った商品", "不要になった"),
        comments=("電源が入りません。", "傷があり、箱が開いていました。"),
    ),
}


def language(code: str) -> Language:
    """The phrases of that language; English where there are none."""
    return LANGUAGES.get(code, LANGUAGES["en"])


# Names of the senders that Amazon localises.
NOTIFICATION_SENDERS = {
    "de": "haendler-benachrichtigungen",
    "fr": "notification-vendeur",
    "it": "notifica-venditore",
    "es": "notificacion-vendedor",
}

# Seller Support cases: subject, answer.
CASES = (
    ("Removal order missing units", "We located 3 of the 4 units. Please confirm that we may close the investigation."),
    ("Listing suppressed without reason", "*Your Help Needed*: please send an image of all sides of the box."),
    ("Inbound shipment not received", "*UPDATE* The shipment was checked in. Reconciliation starts after 14 days."),
)

# Performance notifications: subject, text.
WARNINGS = (
    (
        "Policy warning: restricted product on {asin}",
        "One of your listings may not comply with our policies. Send a plan of action within {days} days.",
    ),
    (
        "Action required: confirm the safety documents for {asin}",
        "We need the declaration of conformity for this product. Provide it within {days} days.",
    ),
    (
        "Notice: Your listing(s) have been removed",
        "We removed the listing {asin} after a complaint. To have it back, send a plan of action within {days} days.",
    ),
)

# Amazon information: subject, text.
INFORMATION = (
    ("Fulfillment by Amazon: your inbound shipment has been received", "Shipment FBA15EXAMPLE: all 48 units."),
    ("Your weekly business summary", "Page views, sessions and units of last week are in your dashboard."),
    ("Webinar: prepare your listings for the season", "Join our free webinar for sellers on Thursday."),
    ("Your disbursement is on its way", "A disbursement was initiated to your bank account on file."),
)

# Mail of people who are not Amazon: sender's name, address, subject, text.
STRANGERS = (
    ("Dana at Parcel Post", "claims@parcelpost.example", "Claim 2207-91: documents missing", "Send the invoice."),
    ("Ruben", "ruben@supplier.example", "Re: price list for the autumn", "The new list is attached to my next mail."),
    ("Tax office", "noreply@taxoffice.example", "Your quarterly statement is available", "Log in to read it."),
    ("Maybe a buyer", "someone@webmail.example", "Question about the lamp", "Which bulb fits? I lost my order."),
    ("Rights Owner", "legal@brandrights.example", "Notice of infringement", "Your offer uses our picture. Remove it."),
)
SPAM = (
    ("SEO Partner", "hello@rank-higher.example", "Boost your Amazon ranking today", "1000 reviews for 99 dollars."),
    ("Prize Desk", "win@lucky-draw.example", "You have been selected", "Claim your voucher before midnight."),
    ("Loan Offers", "offers@fastcash.example", "Working capital for sellers", "Up to 250,000 within 24 hours."),
)

# Imitations of Amazon: sender's local part, subject, text, all failing authentication.
IMITATIONS = (
    (
        "seller-performance",
        "Action required: your selling account will be deactivated",
        "We could not verify your bank details. Confirm them now: {link}",
    ),
    ("payments-messages", "Your disbursement failed", "Update your deposit method here: {link}"),
    ("{alias}", "Inquiry from Amazon customer {name} (Order: {order})", "I sent photos, see them here: {link}"),
)
