"""A call that passed authentication and rate limit, its parameters as the model wants them, and how it is refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jsonschema import Draft4Validator  # type: ignore[import-untyped]
from starlette.datastructures import QueryParams

from sandbox.amazon_marketplaces import MARKETPLACES
from sandbox.amazon_models import Operation, load_model
from sandbox.world import Seller

CONSTRAINTS = ("type", "items", "enum", "minItems", "maxItems", "minimum", "maximum")


class ApiError(Exception):
    """A refusal: HTTP status and Amazon's error body."""

    def __init__(self, status: int, code: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = {"errors": [{"code": code, "message": message, "details": details}]}


def invalid(message: str) -> ApiError:
    """The refusal of a request that breaks a rule of the operation."""
    return ApiError(400, "InvalidInput", message)


def not_found(what: str) -> ApiError:
    return ApiError(404, "NotFound", f"{what} not found.")


@dataclass(frozen=True)
class Call:
    """What an operation gets. `given`: checked query parameters by name; `body`: the JSON of a POST, else None."""

    seller: Seller
    now: datetime
    base_url: str
    path: Mapping[str, str]
    given: dict[str, Any]
    body: Any = None

    @property
    def account_region(self) -> tuple[str, str]:
        return self.seller.account, self.seller.region


Handler = Callable[[Call], Any]  # returns the JSON of the answer, None for an empty one


def read_parameters(operation: Operation, query: QueryParams) -> dict[str, Any]:
    """The operation's query parameters by name: str, int, bool, aware UTC datetime or list of str.

    Lists come as repeated or as comma-separated values. Unknown names are ignored, as Amazon does.

    Raises: ApiError 400 naming the parameter that breaks the model.
    """
    expected = {p["name"]: p for p in operation.parameters if p["in"] == "query"}
    for name, parameter in expected.items():
        if parameter.get("required") and name not in query:
            raise invalid(f"{name} is required.")
    return {name: _value(p, query.getlist(name)) for name, p in expected.items() if name in query}


def check_body(model: str, definition: str, body: Any) -> None:
    """Raises: ApiError 400 if the body breaks the model's definition."""
    schema = {**load_model(model), "$ref": f"#/definitions/{definition}"}
    for error in Draft4Validator(schema).iter_errors(body):
        raise invalid(f"The request body breaks {definition} at {error.json_path}: {error.validator}.")


def check_marketplaces(seller: Seller, marketplace_ids: list[str]) -> None:
    """Raises: ApiError 400 if a marketplace is unknown or belongs to another region than the seller's token."""
    regions = {marketplace.id: marketplace.region for marketplace in MARKETPLACES.values()}
    for marketplace_id in marketplace_ids:
        if regions.get(marketplace_id) != seller.region:
            raise invalid("marketplaceIds holds a marketplace that is not in the region of this endpoint.")


def parse_time(text: str) -> datetime:
    """Aware UTC from ISO 8601; a time without offset is UTC.

    Raises: ValueError.
    """
    moment = datetime.fromisoformat(text)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:  # year 1 or 9999 shifted over the edge
        raise ValueError(f"{text} is out of range") from error


def time_parameter(name: str, text: str) -> datetime:
    """Raises: ApiError 400 naming the parameter."""
    try:
        return parse_time(text)
    except ValueError:
        raise invalid(f"{name} is not a date and time in ISO 8601.") from None


def iso(moment: datetime) -> str:
    """As Amazon writes times: 2026-03-01T12:00:00.000Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _value(parameter: dict[str, Any], texts: list[str]) -> Any:
    name = parameter["name"]
    if parameter["type"] != "array" and len(texts) > 1:
        raise invalid(f"{name} is given more than once.")
    if parameter.get("format") == "date-time":
        return time_parameter(name, texts[0])
    value = _READERS[parameter["type"]](texts)
    schema = {key: parameter[key] for key in CONSTRAINTS if key in parameter}
    if not Draft4Validator(schema).is_valid(value):
        raise invalid(f"{name} has an invalid value.")
    return value


def _integer(texts: list[str]) -> int | str:
    return int(texts[0]) if texts[0].isascii() and texts[0].isdigit() else texts[0]


def _boolean(texts: list[str]) -> bool | str:
    return {"true": True, "false": False}.get(texts[0], texts[0])


_READERS: dict[str, Callable[[list[str]], Any]] = {
    "array": lambda texts: [value for text in texts for value in text.split(",")],
    "integer": _integer,
    "boolean": _boolean,
    "string": lambda texts: texts[0],
}
