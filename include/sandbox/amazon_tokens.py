"""Login with Amazon: access tokens for refresh tokens, and who an access token belongs to."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from sandbox.amazon_call import ApiError
from sandbox.world import Seller

LIFETIME = timedelta(hours=1)
PREFIX = "Atza|"


def seal(sellers: Sequence[Seller], purpose: str) -> URLSafeSerializer:
    """Signs what clients carry for us (tokens, URLs).

    Keyed by the sellers alone: clients cache access tokens, and these must outlive a restart of the stand-in.
    """
    return URLSafeSerializer("".join(sorted(seller.refresh_token for seller in sellers)), salt=purpose)


class AccessTokens:
    """Issues access tokens and recognises them. They hold seller and expiry, signed; nothing is remembered."""

    def __init__(self, sellers: Sequence[Seller]) -> None:
        self._sellers = {(seller.account, seller.region): seller for seller in sellers}
        self._seal = seal(sellers, "access token")

    def issue(self, form: Mapping[str, str], now: datetime) -> tuple[int, dict[str, Any]]:
        """Status and JSON answering the form of a token request (RFC 6749 section 6, with Amazon's error texts)."""
        problem = self._problem(form)
        if problem is not None:
            status, error, description = problem
            return status, {"error": error, "error_description": description}
        seller = next(s for s in self._sellers.values() if s.refresh_token == form["refresh_token"])
        content = [seller.account, seller.region, (now + LIFETIME).timestamp()]
        return 200, {
            "access_token": f"{PREFIX}{self._seal.dumps(content)}",
            "refresh_token": seller.refresh_token,
            "token_type": "bearer",
            "expires_in": int(LIFETIME.total_seconds()),
        }

    def seller(self, token: str | None, now: datetime) -> Seller:
        """Whom the token speaks for.

        Raises: ApiError 403 if it is missing, not ours, or expired.
        """
        if not token:
            raise _denied("Access token is missing in the request header.")
        try:
            account, region, expires = self._seal.loads(token.removeprefix(PREFIX))
        except BadSignature:
            raise _denied("The access token you provided is revoked, malformed or invalid.") from None
        if now.timestamp() >= expires:
            raise _denied("The access token you provided has expired.")
        return self._sellers[account, region]

    def _problem(self, form: Mapping[str, str]) -> tuple[int, str, str] | None:
        for name in ("grant_type", "client_id", "client_secret", "refresh_token"):
            if not form.get(name):
                return 400, "invalid_request", f"The request is missing a required parameter : {name}"
        if form["grant_type"] != "refresh_token":
            return 400, "unsupported_grant_type", "The authorization grant type is not supported by the server"
        client = form["client_id"], form["client_secret"]
        own = [s for s in self._sellers.values() if (s.client_id, s.client_secret) == client]
        if not own:
            return 401, "invalid_client", "Client authentication failed"
        if form["refresh_token"] not in {seller.refresh_token for seller in own}:
            return 400, "invalid_grant", (
                "The request has an invalid grant parameter : refresh_token. "
                "User may have revoked or didn't grant the permission."
            )  # fmt: skip
        return None


def _denied(details: str) -> ApiError:
    return ApiError(403, "Unauthorized", "Access to requested resource is denied.", details)
