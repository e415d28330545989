"""Amazon's own API models: which operations exist, their parameters, rates, and static sandbox cases."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODELS = ("orders_2026-01-01", "reports_2021-06-30", "sellers")
FOLDER = Path(__file__).parent / "spapi_models"
METHODS = ("get", "post", "delete")
# The models tell rate and burst only as a table in the operation's description.
USAGE_PLAN = re.compile(r"^\|\s*(?P<rate>[\d.]+)\s*\|\s*(?P<burst>\d+)\s*\|", re.MULTILINE)


@dataclass(frozen=True)
class StaticCase:
    """One fixed request and its answer. `parameters`: values by parameter name; `response` None: no body."""

    parameters: dict[str, Any]
    status: int
    response: Any


@dataclass(frozen=True)
class Operation:
    """An operation of the API. `status` is that of success; `rate` is requests a second, `burst` requests."""

    model: str
    name: str
    method: str
    path: str
    status: int
    rate: float
    burst: int
    parameters: tuple[dict[str, Any], ...]
    static_cases: tuple[StaticCase, ...]


def load_model(name: str) -> dict[str, Any]:
    """A model (Swagger 2.0) by its file name without ending."""
    model: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return model


def operations() -> Iterator[Operation]:
    """All operations of all models."""
    for model in MODELS:
        for path, methods in load_model(model)["paths"].items():
            for method in METHODS:
                if method in methods:
                    yield _operation(model, path, method, methods[method])


def _operation(model: str, path: str, method: str, text: dict[str, Any]) -> Operation:
    plan = USAGE_PLAN.search(text["description"])
    if plan is None:
        raise ValueError(f"Model {model}: the description of {text['operationId']} has no table of rate and burst.")
    return Operation(
        model=model,
        name=text["operationId"],
        method=method.upper(),
        path=path,
        status=min(int(status) for status in text["responses"]),
        rate=float(plan["rate"]),
        burst=int(plan["burst"]),
        parameters=tuple(text.get("parameters", ())),
        static_cases=tuple(_static_cases(text["responses"])),
    )


def _static_cases(responses: dict[str, Any]) -> list[StaticCase]:
    cases = [
        StaticCase(
            {name: item["value"] for name, item in case["request"]["parameters"].items()},
            int(status),
            case.get("response"),
        )
        for status, response in responses.items()
        for case in response.get("x-amzn-api-sandbox", {}).get("static", ())
    ]
    # A case that lists nothing matches every request, so it comes last; between equals, success wins.
    return sorted(cases, key=lambda case: (-len(case.parameters), case.status))
