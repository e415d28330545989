"""Access tokens for mail servers that want OAuth (XOAUTH2) instead of a password, such as Gmail and Outlook."""

import re
from dataclasses import dataclass, field

import httpx

from amazon_support.sources.errors import BadCredentials, Unavailable

# Sources: developers.google.com/identity/protocols/oauth2/web-server#offline,
# learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#refresh-the-access-token
GOOGLE = "https://oauth2.googleapis.com/token"
MICROSOFT = "https://login.microsoftonline.com/common/oauth2/v2.0/token"
TOKEN_URLS = {
    "imap.gmail.com": GOOGLE,
    "imap.googlemail.com": GOOGLE,
    "outlook.office365.com": MICROSOFT,
    "outlook.office.com": MICROSOFT,
    "imap-mail.outlook.com": MICROSOFT,
}
TIMEOUT = 30  # seconds without an answer


@dataclass(frozen=True)
class OAuth:
    """What an access token is asked for with. `client_secret` is empty for applications that have none."""

    token_url: str
    client_id: str
    refresh_token: str = field(repr=False)
    client_secret: str = field(default="", repr=False)


def access_token(oauth: OAuth, whose: str) -> str:
    """A fresh access token (RFC 6749, section 6).

    Args:
        whose: account and connection, for messages.

    Raises: BadCredentials if it is refused, Unavailable if there is no sensible answer.
    """
    form = {"grant_type": "refresh_token", "client_id": oauth.client_id, "refresh_token": oauth.refresh_token}
    if oauth.client_secret:
        form["client_secret"] = oauth.client_secret
    try:
        answer = httpx.post(oauth.token_url, data=form, timeout=TIMEOUT)
        content = answer.json()
        token = content.get("access_token")
    except (httpx.HTTPError, ValueError, AttributeError) as error:
        raise Unavailable(
            f"No access token for the mail of {whose}: {oauth.token_url} gives no sensible answer "
            f"({type(error).__name__})."
        ) from None
    if answer.is_success and isinstance(token, str):
        return token
    error_name = content.get("error")
    if answer.status_code not in (400, 401, 403) or not re.fullmatch(r"[a-z_]{1,40}", str(error_name)):
        raise Unavailable(f"No access token for the mail of {whose}: {oauth.token_url} answers {answer.status_code}.")
    raise BadCredentials(f"No access token for the mail of {whose}: {_what_to_do(str(error_name))}")


def _what_to_do(error: str) -> str:
    if error == "invalid_grant":
        return "the refresh token is refused (invalid_grant): sign in again and put the new one into the extra."
    if error in ("invalid_client", "unauthorized_client"):
        return f"the application is refused ({error}): check client_id and client_secret in the extra."
    return f"the request is refused ({error}): check the extra of the connection, token_url included."
