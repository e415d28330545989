"""What we expect of each dataset, in Great Expectations' words: rules for rows, for whole batches, and standing ones.

A row that breaks a REJECT rule goes to quarantine, a batch that breaks one waits for a person; broken WARN rules are
recorded. The columns are those of include/sql/land/<dataset>_to_check.sql and batches_to_check.sql. Standing rules say
how sources and answers must stand as of an instant; their columns are those of include/sql/quality/standing_*.sql.
"""

from typing import TYPE_CHECKING, Any, get_args

from amazon_support.mail.facts import Direction, Kind

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

REJECT, WARN = "reject", "warn"

# A batch in which more rows than this share break rejecting rules is rejected as a whole. Shares of a batch with
# fewer rows than SMALLEST_JUDGED say little: one bad row must not hold up the two beside it.
MOST_REJECTED = 0.5
MOST_UNKNOWN = 0.3
MOST_OUTSIDE = 0.5  # share of rows that say they changed outside the window they were asked for
# Rows of a batch against the median of batches of the same source, weekday and hour in the last weeks.
MOST_FEWER, MOST_MORE = 0.02, 50
SMALLEST_JUDGED = 10
# Orders or mails of a day against the median of the same weekday in the last weeks. Less than SMALLEST_USUAL of both
# say little: a small shop may sell nothing for a day.
FEWEST_OF_A_DAY, MOST_OF_A_DAY = 0.1, 10
SMALLEST_USUAL = 30

ORDER_ID = r"^(\d{3}-\d{7}-\d{7}|[DS]01-.*)$"
ASIN = r"^[A-Z0-9]{10}$"
CURRENCY = r"^[A-Z]{3}$"
MAIL_ID = r"^[0-9a-f]{64}$"

# Source: FulfillmentStatus of the orders_2026-01-01 model.
ORDER_STATUSES = [
    "PENDING_AVAILABILITY",
    "PENDING",
    "UNSHIPPED",
    "PARTIALLY_SHIPPED",
    "SHIPPED",
    "CANCELLED",
    "UNFULFILLABLE",
]

# Source: FulfilledBy of the same model; what it ships is no work of ours.
FULFILLED_BY = ["AMAZON", "MERCHANT"]

DESK_ACTIONS = ["assign", "hold", "solve", "no_response_needed", "unread", "note", "review_request"]


def orders(marketplace_ids: list[str]) -> "list[Expectation]":
    """Rules for an order of the Orders API 2026-01-01.

    Args:
        marketplace_ids: Amazon's ids of the marketplaces in the settings.
    """
    return [
        _matches("order_id_shape", REJECT, "row_key", ORDER_ID),
        _present("created_time_readable", REJECT, "created_at"),
        _present("updated_time_readable", REJECT, "last_updated_at"),
        _between("created_before_updated", REJECT, "hours_created_after_update", at_most=0),
        _between("not_in_the_future", REJECT, "hours_ahead", at_most=24),
        _one_of("marketplace_known", REJECT, "marketplace_id", marketplace_ids),
        _between("has_items", REJECT, "item_count", at_least=1),
        _between("items_have_their_own_id", REJECT, "items_without_own_id", at_most=0),
        _between("quantities_valid", REJECT, "invalid_quantities", at_most=0),
        _between("amounts_numeric", REJECT, "invalid_amounts", at_most=0),
        _one_of("status_known", WARN, "status", ORDER_STATUSES),
        _one_of("fulfilled_by_known", WARN, "fulfilled_by", FULFILLED_BY),
        _between("other_times_readable", WARN, "unreadable_times", at_most=0),
        _between("articles_named", WARN, "nameless_items", at_most=0, tolerated=0.01),
        _between("asins_shaped", WARN, "misshapen_asins", at_most=0),
        _between("currencies_shaped", WARN, "misshapen_currencies", at_most=0),
    ]


def order_report(domains: list[str]) -> "list[Expectation]":
    """Rules for a line, that is an item, of the all-orders report.

    Args:
        domains: of the marketplaces in the settings, such as amazon.de. Orders of other channels are orders too: they
            are kept without a marketplace.
    """
    return [
        _matches("order_id_shape", REJECT, "order_id", ORDER_ID),
        _present("created_time_readable", REJECT, "created_at"),
        _present("updated_time_readable", REJECT, "last_updated_at"),
        _between("created_before_updated", REJECT, "hours_created_after_update", at_most=0),
        _between("not_in_the_future", REJECT, "hours_ahead", at_most=24),
        _present("quantity_present", REJECT, "quantity"),
        _between("quantities_valid", REJECT, "quantity", at_least=0),
        _between("amounts_fit", REJECT, "largest_amount", at_most=1e14),
        _one_of("status_known", WARN, "status", ORDER_STATUSES),
        _one_of("fulfilled_by_known", WARN, "fulfilled_by", FULFILLED_BY),
        # An order may have the same item on two lines; a report that came twice in one document has all of them.
        _between("line_not_repeated", WARN, "copies", at_most=1, tolerated=0.05),
        _one_of("marketplace_known", WARN, "sales_channel", domains),
        _present("article_named", WARN, "sku", tolerated=0.01),
        _matches("asin_shape", WARN, "asin", ASIN),  # columns that changed places show here
        _matches("currency_shape", WARN, "currency", CURRENCY),
    ]


def mail() -> "list[Expectation]":
    """Rules for a mail that has been read and explained."""
    return [
        _matches("mail_id_shape", REJECT, "row_key", MAIL_ID),
        _one_of("kind_known", REJECT, "kind", list(get_args(Kind))),
        _one_of("direction_valid", REJECT, "direction", list(get_args(Direction))),
        _present("confidence_present", REJECT, "confidence"),
        _between("confidence_valid", REJECT, "confidence", at_least=0, at_most=1),
        _present("sent_time_readable", REJECT, "sent_at"),
        _between("not_sent_after_received", REJECT, "hours_sent_after_received", at_most=24),
        _between("not_long_under_way", WARN, "days_under_way", at_most=30),
        _between("order_ids_shaped", WARN, "misshapen_order_ids", at_most=0),
    ]


def account_health(marketplace_ids: list[str], statuses: list[str]) -> "list[Expectation]":
    """Rules for a metric, or a period of contact response times, of the seller performance reports.

    Args:
        marketplace_ids: Amazon's ids of the marketplaces in the settings.
        statuses: those in the settings. Another one is no reason to lose a metric that may be bad, nor is a field
            that cannot be read.
    """
    return [
        _one_of("marketplace_known", REJECT, "marketplace_id", marketplace_ids),
        _between("share_valid", REJECT, "share", at_least=0, at_most=1),
        _between("count_valid", REJECT, "counted", at_least=0),
        _one_of("status_known", WARN, "status", statuses),
        _between("period_readable", WARN, "unreadable_periods", at_most=0),
        _between("other_fields_readable", WARN, "unreadable_values", at_most=0),
    ]


def feedback(countries: list[str]) -> "list[Expectation]":
    """Rules for a line of a seller feedback report.

    Args:
        countries: of the marketplaces in the settings.
    """
    return [
        _matches("order_id_shape", REJECT, "order_id", ORDER_ID),
        _between("rating_valid", REJECT, "rating", at_least=1, at_most=5),
        _one_of("marketplace_known", REJECT, "marketplace", countries),
        # A day, because calendars differ. A date read in the wrong order often shows here.
        _between("not_in_the_future", REJECT, "days_ahead", at_most=1),
        _between("rated_within_the_span", WARN, "days_before", at_most=1),
        _between("one_line_an_order", WARN, "lines_of_order", at_most=1),
    ]


def desk_action() -> "list[Expectation]":
    """Rules for a row of a desk's export. That its ticket is known shows when it is published."""
    return [
        _one_of("action_known", REJECT, "kind", DESK_ACTIONS),
        _present("time_readable", REJECT, "occurred_at"),
        # Clocks differ; a wrong time zone often shows here.
        _between("not_in_the_future", REJECT, "hours_ahead", at_most=1),
        _between("names_a_ticket", REJECT, "references_to_ticket", at_least=1),
        _matches("review_names_its_order", REJECT, "reviewed_order", ORDER_ID),
        _between("assigned_to_somebody", REJECT, "assigned_to_nobody", at_most=0),
        _between("held_for_somebody", WARN, "held_for_nobody", at_most=0),
        _present("actor_told", WARN, "actor"),
    ]


def batches() -> "list[Expectation]":
    """Rules for a batch as a whole."""
    return [
        _between("batch_has_rows", REJECT, "landed_rows", at_least=1),
        _between("batch_is_complete", REJECT, "missing_rows", at_least=0, at_most=0),
        _between("batch_of_usual_size", WARN, "times_usual_rows", at_least=MOST_FEWER, at_most=MOST_MORE),
        _between("batch_not_landed_before", WARN, "twins", at_most=0),
        # Whoever asks for what changed in a window gets what changed in it: a shifted clock shows here.
        _between("changed_in_the_window", WARN, "share_outside_window", at_most=MOST_OUTSIDE),
        _between("most_mail_recognised", WARN, "unknown_share", at_most=MOST_UNKNOWN),
    ]


# ---------- standing rules


def pulled_orders() -> "list[Expectation]":
    """Rules for an account's orders in a region: pulled every hour."""
    return [_pulled_lately(3), _no_gap()]


def pulled_feedback() -> "list[Expectation]":
    """Rules for an account's feedback of a marketplace: pulled every day, 90 days back."""
    return [_pulled_lately(36), _no_gap()]


def pulled_account_health() -> "list[Expectation]":
    """Rules for an account's figures in a region: pulled every day. Amazon tells none of a day that was missed."""
    return [_pulled_lately(36)]


def mail_of_a_day() -> "list[Expectation]":
    """Rules for an account's mail of a day."""
    return [_between("most_mail_recognised_of_a_day", WARN, "unknown_share", at_most=MOST_UNKNOWN)]


def volume_of_a_day() -> "list[Expectation]":
    """Rules for how many orders, or mails, an account has in a marketplace in a day."""
    return [_between("volume_as_usual", WARN, "times_usual", at_least=FEWEST_OF_A_DAY, at_most=MOST_OF_A_DAY)]


def ticket_events() -> "list[Expectation]":
    """Rules for an account's ticket events of a day, and for the status periods of their tickets."""
    return [
        _between("not_in_the_future", WARN, "events_ahead", at_most=0),
        _between("event_has_a_ticket", WARN, "events_without_ticket", at_most=0),
        _between("periods_follow_each_other", WARN, "broken_periods", at_most=0),
    ]


def links() -> "list[Expectation]":
    """Rules for what an account's orders and tickets of a day refer to."""
    return [
        _between("landed_order_is_known", WARN, "unknown_orders", at_most=0),
        _between("order_has_items", WARN, "orders_without_items", at_most=0),
        _between("not_more_shipped_than_ordered", WARN, "orders_overshipped", at_most=0),
        _between("order_of_ticket_is_known", WARN, "ticket_orders_unknown", at_most=0),
    ]


def marts() -> "list[Expectation]":
    """Rules for an account's answers: compliance, clocks, worklists."""
    return [
        _between("compliance_adds_up", WARN, "compliance_difference", at_most=0),
        _between("waiting_ticket_has_a_clock", WARN, "tickets_without_clock", at_most=0),
        _between("worklist_item_has_a_ticket", WARN, "items_without_ticket", at_most=0),
    ]


def _pulled_lately(hours: int) -> "Expectation":
    return _between("pulled_lately", WARN, "hours_behind", at_most=hours)


def _no_gap() -> "Expectation":
    return _between("no_gap_in_windows", WARN, "gap_hours", at_most=0)


# ---------- Great Expectations by its names; it is imported only when something is checked


def _matches(rule: str, severity: str, column: str, regex: str, *, tolerated: float = 0) -> "Expectation":
    import great_expectations.expectations as gxe

    said = _said(rule, severity, f"{_words(column)} of the form {regex}", tolerated)
    return gxe.ExpectColumnValuesToMatchRegex(column=column, regex=regex, **said)


def _present(rule: str, severity: str, column: str, *, tolerated: float = 0) -> "Expectation":
    import great_expectations.expectations as gxe

    return gxe.ExpectColumnValuesToNotBeNull(
        column=column, **_said(rule, severity, f"{_words(column)} not empty", tolerated)
    )


def _one_of(rule: str, severity: str, column: str, values: list[str], *, tolerated: float = 0) -> "Expectation":
    import great_expectations.expectations as gxe

    said = _said(rule, severity, f"{_words(column)} out of {len(values)} known", tolerated)
    return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=values, **said)


def _between(
    rule: str,
    severity: str,
    column: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    tolerated: float = 0,
) -> "Expectation":
    import great_expectations.expectations as gxe

    bounds = [f"at least {at_least:,.15g}"] if at_least is not None else []
    bounds += [f"at most {at_most:,.15g}"] if at_most is not None else []
    said = _said(rule, severity, f"{_words(column)} {' and '.join(bounds)}", tolerated)
    return gxe.ExpectColumnValuesToBeBetween(column=column, min_value=at_least, max_value=at_most, **said)


def _words(column: str) -> str:
    return "id" if column == "row_key" else column.replace("_", " ")


def _said(rule: str, severity: str, expected: str, tolerated: float) -> dict[str, Any]:
    """What Great Expectations keeps with a rule for us.

    Args:
        tolerated: share of rows that may break a WARN rule before anybody is told.
    """
    return {"meta": {"rule": rule, "severity": severity, "expected": expected, "tolerated": tolerated}}
