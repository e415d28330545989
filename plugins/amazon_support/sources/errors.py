"""What can go wrong at a source, by what to do about it. Messages name connection and account, never a secret."""

from datetime import datetime


class ComeBackAt(Exception):
    """Nothing is wrong: the next step may be taken at `moment` (aware UTC), and the worker should not wait for it.

    Whoever runs the pull calls it again then, with the same memory; it goes on where it stopped.
    """

    def __init__(self, moment: datetime, why: str) -> None:
        super().__init__(f"{why}; going on at {moment:%Y-%m-%d %H:%M:%S} UTC")
        self.moment = moment
        self.why = why


class SourceError(Exception):
    """A source could not be read."""


class BadCredentials(SourceError):
    """The source refuses us: a person must act, trying again cannot help."""


class Throttled(SourceError):
    """The source asks us to come back in so many seconds."""

    def __init__(self, message: str, seconds: float = 0) -> None:
        super().__init__(message)
        self.seconds = seconds


class Unavailable(SourceError):
    """The source does not answer, or not sensibly: trying again may help."""


class BadDocument(SourceError):
    """A report's document is not what it should be, such as an error page or a file without its columns."""


class NotFound(SourceError):
    """The source does not know what was asked for, or no longer."""


class TokenExpired(SourceError):
    """The token of a next page is no longer accepted: the search must begin anew."""


class UrlExpired(SourceError):
    """The URL of a document is no longer valid: a new one must be asked for."""
