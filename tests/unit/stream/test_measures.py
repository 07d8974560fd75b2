"""Each kind of measure, with refunds, several currencies and no data."""

from __future__ import annotations

from typing import Any

import pytest

from tests.properties.driver import Run
from tests.unit.stream.policies import DAY, HOUR, cancelled, happened, paid, policy, refunded

T0 = 852_076_800_000


def reading(spec: dict[str, Any], events: list[dict[str, Any]], now_ms: int) -> Any:
    """Return one measure after *events*."""
    run = Run(policy({"asked": spec, "count": {"count": "orders"}}))
    run.apply(events)
    return run.measures(now_ms)["asked"]


ORDERS = [
    paid(1, T0, 300, cost_minor=100),
    paid(2, T0 + 4 * DAY, 100, cost_minor=150),
    refunded(1, T0 + 5 * DAY, 60),
    paid(3, T0 + 12 * DAY, 500),
]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"count": "orders"}, 3),
        ({"count": "orders", "window": "5d"}, 1),
        ({"count": "orders", "window": "10d", "before": "5d"}, 2),
        ({"sum": "gross"}, 900),
        ({"sum": "refunded"}, 60),
        ({"sum": "revenue"}, 840),
        ({"sum": "cost"}, 250),
        ({"sum": "contribution"}, 590),
        ({"sum": "contribution", "window": "10d"}, 450),
        ({"sum": "contribution", "window": "5d", "before": "7d"}, -50),
        ({"average": "revenue"}, 280),
        ({"average": "gross", "window": "1d"}, 500),
        ({"max": "gross"}, 500),
        # The first order leaves this window at the very instant.
        ({"max": "gross", "window": "10d", "before": "2d"}, 100),
        ({"last": "gross"}, 500),
        ({"first": "gross"}, 300),
        ({"days_since": "last_order"}, 0),
        ({"days_since": "first_order"}, 12),
        # 600 in the last ten days, 240 in the ten before.
        ({"growth": "revenue", "window": "10d"}, 15_000),
        ({"ratio": {"of": "refunded", "to": "gross"}}, 667),
        ({"ratio": {"of": "contribution", "to": "revenue"}, "window": "10d"}, 7_500),
    ],
)
def test_every_reading_of_one_history(spec: dict[str, Any], expected: int) -> None:
    assert reading(spec, ORDERS, T0 + 12 * DAY) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"count": "orders"}, 0),
        ({"count": "visit", "window": "9d"}, 0),
        ({"sum": "revenue", "window": "9d"}, 0),
        ({"average": "revenue"}, None),
        ({"max": "gross"}, None),
        ({"max": "survey", "window": "9d"}, None),
        ({"last": "survey"}, None),
        ({"first": "gross"}, None),
        ({"days_since": "last_order"}, None),
        ({"days_since": "complaint"}, None),
        ({"growth": "revenue", "window": "9d"}, None),
        ({"ratio": {"of": "refunded", "to": "gross"}}, None),
    ],
)
def test_nothing_has_happened(spec: dict[str, Any], expected: int | None) -> None:
    """Counts and sums are 0; what would divide by 0 or look at no event is unknown."""
    assert reading(spec, [], T0) == expected


def test_interactions_are_counted_by_kind() -> None:
    measures = {
        "visits": {"count": "visit", "window": "3d"},
        "worst": {"max": "payment.overdue", "window": "3d"},
        "survey": {"last": "survey"},
        "quiet": {"days_since": "contact"},
    }
    run = Run(policy(measures))
    run.apply(
        [
            happened("visit", 1, T0),
            happened("payment.overdue", 1, T0, value=40),
            happened("visit", 2, T0 + DAY),
            happened("survey", 1, T0 + DAY, value=80),
            happened("survey", 2, T0 + DAY - 1, value=20, record_ms=T0 + DAY),
            happened("payment.overdue", 2, T0 + 2 * DAY, value=7),
            happened("contact", 1, T0 + 2 * DAY),
        ]
    )
    assert run.measures(T0 + 2 * DAY) == {"visits": 2, "worst": 40, "survey": 80, "quiet": 0}
    assert run.measures(T0 + 4 * DAY) == {"visits": 0, "worst": 7, "survey": 80, "quiet": 2}


def test_recency_is_counted_from_the_newest_order_that_survives() -> None:
    run = Run(policy({"recency": {"days_since": "last_order"}}))
    run.apply([paid(1, T0), paid(2, T0 + 3 * DAY), cancelled(2, T0 + 4 * DAY)])
    assert run.measures(T0 + 5 * DAY - 1) == {"recency": 4}
    run.apply([cancelled(1, T0 + 5 * DAY)])
    assert run.measures(T0 + 5 * DAY) == {"recency": None}


def test_a_day_has_passed_after_24_hours_not_at_midnight() -> None:
    run = Run(policy({"recency": {"days_since": "last_order"}}))
    run.apply([paid(1, T0 + 23 * HOUR)])
    assert run.measures(T0 + 46 * HOUR + 3_599_999) == {"recency": 0}
    assert run.measures(T0 + 47 * HOUR) == {"recency": 1}


def test_attributes_are_of_the_type_that_the_policy_says() -> None:
    measures = {
        "industry": {"attribute": "industry", "type": "text"},
        "heads": {"attribute": "heads", "type": "number"},
    }
    run = Run(policy(measures))

    def tell(number: int, **attributes: object) -> dict[str, object]:
        event = happened("profile.changed", number, T0 + number, attributes=attributes)
        run.apply([event])
        return run.measures(T0 + number)

    assert tell(1, industry="steel", heads=7, other="x") == {"industry": "steel", "heads": 7}
    assert tell(2, heads="many") == {"industry": "steel", "heads": None}
    assert tell(3, industry=None, heads=True) == {"industry": None, "heads": None}


def test_amounts_of_all_currencies_add_up_in_the_reporting_currency() -> None:
    """Yen have no decimals, dinars three; each amount is rounded half to even, once."""
    rates = {"JPY": "0.0067", "KWD": "3.25"}
    run = Run(policy({"sum": {"sum": "revenue"}, "cost": {"sum": "cost"}}, rates=rates))
    run.apply(
        [
            paid(1, T0, 10_00, cost_minor=5_00),
            paid(2, T0, 1_000, currency="JPY", cost_minor=500),
            paid(3, T0, 2_000, currency="KWD"),
            refunded(3, T0 + DAY, 1_000, currency="KWD"),
        ]
    )
    assert run.measures(T0 + DAY) == {"sum": 10_00 + 6_70 + 3_25, "cost": 5_00 + 3_35}
