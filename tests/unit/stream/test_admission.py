"""Which events a policy takes in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schemas.policy import parse_policy
from schemas.records import OrderPaid
from stream.admission import FUTURE, MAX_MINOR, TOO_LARGE, UNKNOWN_CURRENCY, refusal
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
    ("event", "reason"),
    [
        (order(1, "USD"), None),
        (order(1, "EUR"), None),
        (order(1, "JPY"), UNKNOWN_CURRENCY),
        (order(MAX_MINOR, "USD"), None),
        (order(MAX_MINOR + 1, "USD"), TOO_LARGE),
        (order(MAX_MINOR, "EUR"), TOO_LARGE),
        (order(1, "USD", PLAN.max_future_ms), None),
        (order(1, "USD", PLAN.max_future_ms + 1), FUTURE),
    ],
)
def test_an_event_is_refused_for_its_currency_size_or_time(
    event: OrderPaid, reason: str | None
) -> None:
    refused = refusal(event, 0, PLAN)
    assert (refused and refused[0]) == reason
