"""Keys that stand in forms: whoever sends one was shown the form, and sending it twice is the same as once."""

import uuid
from functools import cache

from airflow.configuration import conf
from fastapi import HTTPException
from itsdangerous import BadSignature, URLSafeTimedSerializer

GOOD_FOR = 12 * 3600  # seconds


def key(visitor: str, subject: str) -> str:
    """For one form of one page, shown to one user. A page of another site cannot know it."""
    return _serializer().dumps([visitor, subject, uuid.uuid4().hex])


def identity(key: str, visitor: str, subject: str) -> str:
    """What tells this form from every other.

    Raises: HTTPException 403 if the key was not made for this user and subject, or is older than GOOD_FOR.
    """
    try:
        made_for, about, number = _serializer().loads(key, max_age=GOOD_FOR)
    except (BadSignature, ValueError):
        made_for = about = number = None
    if (made_for, about) != (visitor, subject):
        raise HTTPException(403, "This form is too old, or was not made by these pages. Open the page again.")
    return str(number)


@cache
def _serializer() -> URLSafeTimedSerializer:
    """Of the secret that Airflow signs with; a new one counts from the api-server's next start, as there."""
    return URLSafeTimedSerializer(conf.get("api", "secret_key"), salt="support-desk-form")
