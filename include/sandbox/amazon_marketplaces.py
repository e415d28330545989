"""Amazon's sites, as the Sellers API tells them. Source: SP-API documentation, marketplace ids."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Marketplace:
    """One site. `country` is Amazon's ISO code (GB), not the usual short name (UK)."""

    id: str
    region: str
    country: str
    domain: str
    currency: str
    language: str

    @property
    def name(self) -> str:
        """As orders and sales-channel columns name it: Amazon.de."""
        return self.domain.removeprefix("www.").capitalize()


_ROWS = """
    US ATVPDKIKX0DER  na www.amazon.com    USD en_US
    CA A2EUQ1WTGCTBG2 na www.amazon.ca     CAD en_CA
    MX A1AM78C64UM0Y8 na www.amazon.com.mx MXN es_MX
    BR A2Q3Y263D00KWC na www.amazon.com.br BRL pt_BR
    UK A1F83G8C2ARO7P eu www.amazon.co.uk  GBP en_GB
    DE A1PA6795UKMFR9 eu www.amazon.de     EUR de_DE
    FR A13V1IB3VIYZZH eu www.amazon.fr     EUR fr_FR
    IT APJ6JRA9NG5V4  eu www.amazon.it     EUR it_IT
    ES A1RKKUPIHCS9HS eu www.amazon.es     EUR es_ES
    NL A1805IZSGTT6HS eu www.amazon.nl     EUR nl_NL
    SE A2NODRKZP88ZB9 eu www.amazon.se     SEK sv_SE
    PL A1C3SOZRARQ6R3 eu www.amazon.pl     PLN pl_PL
    BE AMEN7PMS3EDWL  eu www.amazon.com.be EUR fr_BE
    IE A28R8C7NBKEWEA eu www.amazon.ie     EUR en_IE
    TR A33AVAJ2PDY3EV eu www.amazon.com.tr TRY tr_TR
    AE A2VIGQ35RCS4UG eu www.amazon.ae     AED en_AE
    SA A17E79C6D8DWNP eu www.amazon.sa     SAR ar_AE
    EG ARBP9OOSHTCHU  eu www.amazon.eg     EGP ar_AE
    IN A21TJRUUN4KGV  eu www.amazon.in     INR en_IN
    ZA AE08WJ6YKNBMC  eu www.amazon.co.za  ZAR en_ZA
    JP A1VC38T7YXB528 fe www.amazon.co.jp  JPY ja_JP
    AU A39IBJ37TRP1C6 fe www.amazon.com.au AUD en_AU
    SG A19VAU5U5O7RUS fe www.amazon.sg     SGD en_SG
"""


def _marketplace(short: str, id: str, region: str, domain: str, currency: str, language: str) -> Marketplace:
    return Marketplace(id, region, "GB" if short == "UK" else short, domain, currency, language)


# By the short name that Seller.marketplaces uses.
MARKETPLACES = {line.split()[0]: _marketplace(*line.split()) for line in _ROWS.strip().splitlines()}
