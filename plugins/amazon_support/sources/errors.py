"""What can go wrong at a source, by what to do about it. Messages name connection and account, never a secret."""

from datetime import datetime


class ComeBackAt(Exception):
    """Nothing is wrong: the next step may be taken at `moment` (aware UTC), and the worker should not wait for it.

    Whoever runs the pull calls it again then, with the same memory; it goes on where it stopped.
    """

    def __init__(self, moment: datetime, why: str) -> None:
        super().__init__(f"{why}; going on at {moment:%Y-%m-%d %H:%M:%S} UTC")
        self.moment = moment


class SourceError(Exception):
    """A source could not be read."""


class BadCredentials(SourceError):
    """The source refuses us: a person must act, trying again cannot help."""


class Throttled(SourceError):
    """The source asks us to come back later."""


class Unavailable(SourceError):
    """The source does not answer, or not sensibly: trying again may help."""


class BadDocument(SourceError):
    """A report's document is not what it should be, such as an error page or a file without its columns."""
