"""What Amazon's two seller performance reports say.

Real documents differ from the schema accountHealthReport-2020-11-18; what is known of that stands with its source in
include/settings/account_health.yaml. Here everything that looks like a metric is read, and what is not understood is
told by its path.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, cast

from lxml import etree  # type: ignore[import-untyped]

from amazon_support.settings.account_health import HealthRules, MetricRule, Unit, health_rules, plain
from amazon_support.sources.errors import BadDocument
from amazon_support.warehouse.land.account_health import AccountStatus, ContactResponse, Metric, ParsedHealth

ACCOUNT_STATUSES = {plain("accountStatuses"), plain("accountStatus")}
PERFORMANCE_METRICS = plain("performanceMetrics")
MARKETPLACE = {plain("marketplaceId"), plain("marketplace")}
WARNING_STATES = plain("warningStates")
WARNING_TYPE = {plain("warningType"), plain("type"), plain("name")}
IN_FORCE = "WARNED"  # status of a warning that is only named
CONDITIONS = ("LESS_THAN", "GREATER_THAN", "EQUALS")
LARGEST = Decimal(10) ** 12  # no figure of a seller is larger
XML_REPORTS, XML_REPORT = "sellerPerformanceReports", "sellerPerformanceReport"

Fulfilment = Literal["AMAZON", "MERCHANT"]


# ---------- JSON: GET_V2_SELLER_PERFORMANCE_REPORT


def parse_health(document: Any) -> ParsedHealth:
    """Reads a GET_V2_SELLER_PERFORMANCE_REPORT, in the schema's spelling or one of those seen.

    A metric that the settings do not know is read as far as it looks like one, and told as unknown as well.

    Raises: BadDocument if it is no JSON object. Nothing else in it is an error.
    """
    if not isinstance(document, dict):
        raise BadDocument(f"A seller performance report must be a JSON object, not {type(document).__name__}.")
    reader = _Reader(health_rules())
    for key, value in document.items():
        if plain(key) in ACCOUNT_STATUSES:
            reader.read_statuses(key, value)
        elif plain(key) == PERFORMANCE_METRICS:
            reader.read_marketplaces(key, value)
        else:
            reader.wonder(key)
    return ParsedHealth(reader.metrics, reader.statuses, list(reader.unknown))


class _Reader:
    """Collects what a report says. Paths name the place in the document: performanceMetrics[].orderDefectRate."""

    def __init__(self, rules: HealthRules) -> None:
        self.rules = rules
        self.metrics: list[Metric] = []
        self.statuses: list[AccountStatus] = []
        self.unknown: dict[str, None] = {}  # each once, in the order met

    def wonder(self, path: str) -> None:
        self.unknown[path] = None

    def read_statuses(self, path: str, value: Any) -> None:
        for where, entry in self._objects(path, value):
            marketplace, status = "", None
            for key, part in entry.items():
                if plain(key) in MARKETPLACE:
                    marketplace = str(part)
                elif self.rules.field_names.get(plain(key)) == "status":
                    status = self.status(f"{where}.{key}", part)
                else:
                    self.wonder(f"{where}.{key}")
            if status:
                self.statuses.append(AccountStatus(marketplace, status))

    def read_marketplaces(self, path: str, value: Any) -> None:
        for where, entry in self._objects(path, value):
            marketplace = next((str(part) for key, part in entry.items() if plain(key) in MARKETPLACE), "")
            for key, part in entry.items():
                if plain(key) == WARNING_STATES:
                    self._read_warnings(marketplace, f"{where}.{key}", part)
                elif plain(key) not in MARKETPLACE:
                    self._read_metric(marketplace, f"{where}.{key}", key, part)

    def status(self, path: str, value: Any) -> str | None:
        """In upper case; AT RISK and At-Risk are AT_RISK."""
        if isinstance(value, str) and value.strip():
            return re.sub(r"[\s-]+", "_", value.strip()).upper()
        if value is not None:
            self.wonder(path)
        return None

    def _read_warnings(self, marketplace: str, path: str, value: Any) -> None:
        if isinstance(value, dict):  # the report's documentation sets the policy violations inside of the warnings
            for key, part in value.items():
                self._read_metric(marketplace, f"{path}.{key}", key, part)
            return
        for warning in value if isinstance(value, list) else [value]:
            if isinstance(warning, str):
                self._add_warning(marketplace, warning, IN_FORCE, warning)
            elif isinstance(warning, dict):
                kind = next((part for key, part in warning.items() if plain(key) in WARNING_TYPE), None)
                status = next((part for key, part in warning.items() if plain(key) == plain("status")), None)
                self._add_warning(marketplace, kind, self.status(f"{path}[].status", status), warning)
            elif warning is not None:
                self.wonder(f"{path}[]")

    def _add_warning(self, marketplace: str, kind: Any, status: str | None, detail: Any) -> None:
        self.metrics.append(Metric(marketplace, f"warning_{_snake(str(kind))}", status=status, detail=detail))

    def _read_metric(self, marketplace: str, path: str, key: str, value: Any) -> None:
        name = self.rules.metric_names.get(plain(key))
        if name is None:
            self.wonder(path)
        for where, fulfilment, node in self._nodes(path, value):
            if name:
                self.metrics += _Node(self, where, node, self.rules.metrics[name]).read(marketplace, name, fulfilment)
            elif self._looks_like_a_metric(node):
                found = _Node(self, where, node, is_known=False)
                self.metrics += found.read(marketplace, _snake(key), fulfilment)

    def _nodes(self, path: str, value: Any) -> Iterator[tuple[str, Fulfilment | None, dict[str, Any]]]:
        """The objects of a metric: one, one for each fulfilment, or a list of either."""
        for where, node in self._objects(path, value):
            rest = {}
            for key, part in node.items():
                fulfilment = self.rules.fulfilment_names.get(plain(key))
                if fulfilment is None:
                    rest[key] = part
                elif isinstance(part, dict):
                    yield f"{where}.{key}", cast(Fulfilment, fulfilment), part
                elif part is not None:
                    self.wonder(f"{where}.{key}")
            if len(rest) == len(node) or self._looks_like_a_metric(rest):
                yield where, None, rest
            else:
                for key in rest:
                    self.wonder(f"{where}.{key}")

    def _looks_like_a_metric(self, node: dict[str, Any]) -> bool:
        return any(self.rules.field_names.get(plain(key)) in ("value", "status") for key in node)

    def _objects(self, path: str, value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        where = f"{path}[]" if isinstance(value, list) else path
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, dict):
                yield where, node
            elif node is not None:
                self.wonder(where)


class _Node:
    """The object of one metric, sorted by our names of its fields.

    Args:
        rule: of the metric; None for a part of one, and for one that the settings do not know.
        is_known: fields that are not understood are told; of an unknown metric they go without saying.
    """

    def __init__(
        self,
        reader: _Reader,
        path: str,
        node: dict[str, Any],
        rule: MetricRule | None = None,
        *,
        is_known: bool = True,
    ) -> None:
        self._reader = reader
        self._rule = rule
        self._is_known = is_known
        self._node = node
        self._fields: dict[str, tuple[str, Any]] = {}  # path and value by our name
        self._parts: dict[str, tuple[str, Any]] = {}
        self._values: dict[str, tuple[str, Any]] = {}  # by plain(spelling)
        self._unreadable: list[str] = []
        for key, value in node.items():
            if value is not None:
                self._sort(plain(key), f"{path}.{key}", value)

    def read(self, marketplace: str, name: str, fulfilment: Fulfilment | None) -> list[Metric]:
        """The metric, and its parts."""
        unit, value, target = self._unit(), self._value(), self._target()
        if unit == "share" and target is not None and target > 1:
            # The target tells the unit: one of 95 would come with rates in percent. Seen are only shares.
            target, value = target / 100, None if value is None else value / 100
        denominator = self._number("denominator")
        metric = Metric(
            marketplace,
            name,
            fulfilment=fulfilment or self._fulfilment(),
            unit=unit,
            period_start=self._instant("period_start"),
            period_end=self._instant("period_end"),
            value=None if unit == "share" and denominator == 0 else value,  # seen: 0 % of no shipment, and GOOD
            numerator=self._number("numerator"),
            denominator=denominator,
            target_value=target,
            target_condition=self._condition(),
            status=self._status(),
            detail=self._node,
        )
        metric = replace(metric, unreadable=tuple(self._unreadable))
        return [metric, *(self._part(metric, *part) for part in self._parts.items())]

    # ---------- sorting

    def _sort(self, name: str, path: str, value: Any) -> None:
        field = self._of_the_rule(name) or self._reader.rules.field_names.get(name)
        if field == "period" and isinstance(value, dict):
            for key, part in value.items():
                self._sort(plain(key), f"{path}.{key}", part)
        elif field == "value":
            self._values[name] = path, value
        elif field and field.startswith("part "):
            self._parts[field.removeprefix("part ")] = path, value
        elif field:
            self._fields.setdefault(field, (path, value))
        elif self._is_known:
            self._reader.wonder(path)

    def _of_the_rule(self, name: str) -> str | None:
        if self._rule is None:
            return None
        for field, spelling in (("numerator", self._rule.numerator), ("denominator", self._rule.denominator)):
            if spelling and name == plain(spelling):
                return field
        return next((f"part {part}" for part, names in self._rule.parts.items() if name in map(plain, names)), None)

    def _part(self, whole: Metric, name: str, found: tuple[str, Any]) -> Metric:
        path, content = found
        node = _Node(self._reader, path, content if isinstance(content, dict) else {"count": content})
        [part] = node.read(whole.marketplace, name, whole.fulfilment)
        period = [field for field in whole.unreadable if field.startswith("period")]
        return replace(
            part,
            unit="count",
            period_start=whole.period_start,
            period_end=whole.period_end,
            denominator=whole.denominator,
            detail=content,
            unreadable=(*part.unreadable, *period),
        )

    # ---------- single fields

    def _unit(self) -> Unit | None:
        if self._rule:
            return self._rule.unit
        if not self._values:
            return None
        spelling = self._spelling()
        return "share" if spelling == plain("rate") else "score" if spelling.endswith("score") else "count"

    def _spelling(self) -> str:
        """Of several values the first in the settings is meant: the rate before a count."""
        return next(name for name in map(plain, self._reader.rules.fields_.value) if name in self._values)

    def _value(self) -> Decimal | None:
        if self._values:
            self._fields["value"] = self._values[self._spelling()]
        return self._number("value")

    def _number(self, field: str) -> Decimal | None:
        path, value = self._fields.get(field, ("", None))
        if isinstance(value, dict):  # a count with a status of its own
            value = next((v for k, v in value.items() if self._reader.rules.field_names.get(plain(k)) == "value"), "")
        return None if value is None else self._told(field, path, _decimal(value))

    def _target(self) -> Decimal | None:
        path, value = self._fields.get("target_value", ("", None))
        if isinstance(value, dict):
            self._fields["target_value"] = path, value.get("value")
            if "condition" in value:
                self._fields.setdefault("target_condition", (path, value["condition"]))
        return self._number("target_value")

    def _condition(self) -> str | None:
        path, value = self._fields.get("target_condition", ("", None))
        condition = self._reader.status(path, value)
        return condition and self._told("target_condition", path, condition if condition in CONDITIONS else None)

    def _status(self) -> str | None:
        return self._reader.status(*self._fields.get("status", ("", None)))

    def _fulfilment(self) -> Fulfilment | None:
        path, value = self._fields.get("fulfilment", ("", None))
        if value is None:
            return None
        found = self._reader.rules.fulfilment_names.get(plain(str(value)))
        return cast(Fulfilment | None, self._told("fulfilment", path, found))

    def _instant(self, field: str) -> datetime | None:
        path, value = self._fields.get(field, ("", None))
        return None if value is None else self._told(field, path, _instant(value))

    def _told(self, field: str, path: str, read: Any) -> Any:
        """What was read of the field; it is told if that is nothing."""
        if read is None:
            self._unreadable.append(field)
            self._reader.wonder(path)
        return read


# ---------- XML: GET_V1_SELLER_PERFORMANCE_REPORT


def parse_contact_response(xml: str) -> list[ContactResponse]:
    """The contact response times of a GET_V1_SELLER_PERFORMANCE_REPORT, one a period.

    Amazon publishes no schema. Names of the elements: Selling Partner API, report type values, performance. How they
    are nested: programs that read the report, in which one report speaks of the marketplaces it was ordered for:
    sellerPerformanceReports/sellerPerformanceReport/buyerSellerContactResponseTimeMetrics/responseTimeMetrics, with
    timeFrame/start and timeFrame/end.

    Raises: BadDocument if it is no such report.
    """
    root = _xml(xml)
    if root is None or _tag(root) not in (XML_REPORTS, XML_REPORT):
        raise BadDocument("This is no seller performance report in XML.")
    seller_reports = [root] if _tag(root) == XML_REPORT else _children(root, XML_REPORT)
    return [
        _contact_response(_marketplace(report), metrics)
        for report in seller_reports
        for parent in _children(report, "buyerSellerContactResponseTimeMetrics")
        for metrics in _children(parent, "responseTimeMetrics")
    ]


def _contact_response(marketplace: str | None, metrics: Any) -> ContactResponse:
    texts = {
        "period_start": _text(metrics, "timeFrame", "start"),
        "period_end": _text(metrics, "timeFrame", "end"),
        "average_hours": _text(metrics, "averageResponseTimeInHours"),
        "under_24h": _text(metrics, "responseUnder24Hours"),
        "over_24h": _text(metrics, "responseTimeGreaterThan24Hours"),
        "none_after_24h": _text(metrics, "noResponseForContactsOlderThan24Hours"),
    }
    if texts["under_24h"].endswith("%"):
        texts["share_under_24h"] = texts.pop("under_24h")
    read = {name: (_instant if name.startswith("period") else _decimal)(text) for name, text in texts.items() if text}
    response = ContactResponse(
        marketplace,
        **{"period_start": None, "period_end": None} | read,  # type: ignore[arg-type]
        unreadable=tuple(name for name, value in read.items() if value is None),
    )
    return response if response.share_under_24h is not None else replace(response, share_under_24h=_share(response))


def _share(response: ContactResponse) -> Decimal | None:
    counts = (response.under_24h, response.over_24h, response.none_after_24h)
    if response.under_24h is None or None in counts:
        return None
    answered = sum(cast(tuple[Decimal, ...], counts))
    return round(response.under_24h / answered, 6) if answered else None


def _xml(text: str) -> Any:
    # No entities, no network, no huge trees: a document from outside is data and nothing else.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        # lxml takes no text that declares an encoding: it is decoded already.
        return etree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text.lstrip("\ufeff")), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _marketplace(report: Any) -> str | None:
    named = [report.get(name) for name in report.attrib if plain(name) in MARKETPLACE]
    named += [child.text or "" for child in report if isinstance(child.tag, str) and plain(_tag(child)) in MARKETPLACE]
    return next((name.strip() for name in named if name.strip()), None)


def _text(element: Any, *path: str) -> str:
    """Text of the first element at the path, or of the count in it."""
    for name in path:
        found = _children(element, name)
        if not found:
            return ""
        element = found[0]
    counts = _children(element, "count")
    return ((counts[0] if counts else element).text or "").strip()


def _children(element: Any, name: str) -> list[Any]:
    return [child for child in element if isinstance(child.tag, str) and _tag(child) == name]


def _tag(element: Any) -> str:
    """Name without namespace."""
    return str(etree.QName(element).localname)


# ---------- both


def _decimal(value: Any) -> Decimal | None:
    """A number, or text with one; 98.5 % is 0.985."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value).strip()
    try:
        number = Decimal(text.removesuffix("%").strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number) >= LARGEST:
        return None
    return number / 100 if text.endswith("%") else number


def _instant(value: Any) -> datetime | None:
    """Aware UTC; a time without an offset is UTC (schema)."""
    try:
        moment = datetime.fromisoformat(value.strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (AttributeError, ValueError, OverflowError):
        return None


def _snake(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"\W+", "_", words).strip("_").lower()[:80]
