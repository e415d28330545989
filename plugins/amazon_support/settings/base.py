"""What the settings' models share: strictness, durations, mistakes with a place."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import InitErrorDetails, PydanticCustomError

Desk = Literal["bqool", "seller_central"]
Location = tuple[str | int, ...]  # of a value in the files, such as ("accounts", 0, "name")
Problem = tuple[Location, str]


class StrictModel(BaseModel):
    """Unknown keys are errors, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _duration(value: object) -> object:
    """'90s', '90m', '4h', '7d' -> timedelta; anything else is left to pydantic."""
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    if isinstance(value, str) and value[-1:] in units and value[:-1].isdigit():
        return timedelta(**{units[value[-1]]: int(value[:-1])})
    if isinstance(value, str):
        raise ValueError("expected a duration such as 90m, 4h or 7d")
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]


def problem(where: Location, message: str) -> InitErrorDetails:
    """For ValidationError.from_exception_data."""
    return InitErrorDetails(
        type=PydanticCustomError("settings", "{message}", {"message": message}), loc=where, input=None
    )
