"""Amazon's static sandbox: requests that match a case of the models get exactly the answer written there."""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import QueryParams

from sandbox.amazon_models import Operation, StaticCase


def static_case(operation: Operation, path: Mapping[str, str], query: QueryParams, body: Any) -> StaticCase | None:
    """The first case whose listed parameters all equal the request's. Others of the request do not matter."""

    def given(name: str, expected: Any) -> Any:
        if name == "body":
            return body
        if name in path:
            return path[name]
        if isinstance(expected, list):
            return [value for text in query.getlist(name) for value in text.split(",")]
        return query.get(name)

    for case in operation.static_cases:
        if all(given(name, expected) == expected for name, expected in case.parameters.items()):
            return case
    return None
