"""What can go wrong at a source, by what to do about it. Messages name connection and account, never a secret."""


class SourceError(Exception):
    """A source could not be read."""


class BadCredentials(SourceError):
    """The source refuses us: a person must act, trying again cannot help."""


class Throttled(SourceError):
    """The source asks us to come back later."""


class Unavailable(SourceError):
    """The source does not answer, or not sensibly: trying again may help."""
