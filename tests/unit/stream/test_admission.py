"""Which events a policy takes in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schemas.decode import Rejected
from schemas.policy import parse_policy
from schemas.records import OrderPaid
from stream.admission import FUTURE, TOO_LARGE, UNKNOWN_CURRENCY, admit
from stream.arrivals import Payment
from stream.money import MAX_MINOR
from stream.plan import compile_policy

PLAN = compile_policy(
    parse_policy(
        """
policy: p
version: 1
time_zone: UTC
currency: USD
rates: {EUR: "2"}
measures: {revenue: {sum: revenue, window: 30d}}
gradings:
  value: {type: bands, measure: revenue, tiers: [{tier: a, enter: 1}, {tier: b}]}
""",
        "p.yaml",
    )
)


def order(amount_minor: int, currency: str, occurred_ms: int = 0) -> OrderPaid:
    return OrderPaid(
        event_id="e",
        occurred_at=datetime(1970, 1, 1, tzinfo=UTC),
        occurred_ms=occurred_ms,
        customer_id="c",
        order_id="o",
        amount_minor=amount_minor,
        currency=currency,
    )


@pytest.mark.parametrize(
    ("event", "paid_minor"),
    [
        (order(1, "USD"), 1),
        (order(1, "EUR"), 2),
        (order(MAX_MINOR, "USD"), MAX_MINOR),
        (order(1, "USD", PLAN.max_future_ms), 1),
    ],
)
def test_an_order_is_taken_in_at_its_value_in_the_reporting_currency(
    event: OrderPaid, paid_minor: int
) -> None:
    payment = admit(event, 0, b"record", PLAN)
    assert isinstance(payment, Payment)
    assert payment.entry.paid_minor == paid_minor
    assert payment.entry.at_ms == event.occurred_ms


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (order(1, "JPY"), UNKNOWN_CURRENCY),
        (order(MAX_MINOR + 1, "USD"), TOO_LARGE),
        (order(MAX_MINOR, "EUR"), TOO_LARGE),
        (order(1, "USD", PLAN.max_future_ms + 1), FUTURE),
    ],
)
def test_an_order_is_refused_for_its_currency_size_or_time(event: OrderPaid, reason: str) -> None:
    with pytest.raises(Rejected) as refused:
        admit(event, 0, b"record", PLAN)
    assert refused.value.reason == reason
