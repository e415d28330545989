"""What a pull must still know after it was killed, tried again, or sent away to wait."""

from typing import Any, Protocol


class Memory(Protocol):
    """Keeps small JSON values by name for one pull; each `set` is kept before it returns.

    In Airflow this is the task's state store, which survives retries and deferrals.
    """

    def get(self, key: str) -> Any:
        """The value; None if there is none."""

    def set(self, key: str, value: Any) -> None:
        """Keeps a JSON value other than None."""

    def delete(self, key: str) -> None:
        """Forgets the value, if there is one."""


class ShortMemory:
    """A memory that ends with the process, for pulls by hand."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        return self._values.get(key)

    def set(self, key: str, value: Any) -> None:
        self._values[key] = value

    def delete(self, key: str) -> None:
        self._values.pop(key, None)
