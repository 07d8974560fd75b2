"""What prevents a fall, in numbers; and when a warning is given, moved and closed."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import pytest

from stream.bucket import Bucket
from stream.calendar import format_instant
from stream.fold import Scorer, TerseScorer
from stream.forecast.outlook import outlooks
from stream.forecast.warning import Prevention
from stream.outbox import CUSTOMER_TIERS, TIER_FORECASTS, decode_row
from stream.store import BucketHead
from tests.properties.driver import CUSTOMER, WINDOW, Run, plan_of, to_arrival
from tests.properties.histories import DAY

START = 1_700_000_000_000
POLICY = """
policy: shop
version: 1
time_zone: UTC
currency: USD
measures:
  revenue: {sum: revenue, window: 30d}
  average: {average: revenue, window: 30d}
  orders: {count: orders, window: 30d}
gradings:
  value: {type: bands, measure: revenue, tiers: [{tier: gold, enter: 100, exit: 80}, {tier: lead}]}
  size: {type: bands, measure: average, tiers: [{tier: big, enter: 20}, {tier: small}]}
  rhythm: {type: bands, measure: orders, tiers: [{tier: often, enter: 3}, {tier: seldom}]}
"""
WARNED = f"{POLICY}\nforecasts: {{lead_days: 7, gradings: [value]}}\n"


def bought(text: str, *orders: tuple[int, int]) -> Run:
    """Return a customer who has paid so many minor units on each of these days."""
    run = Run(plan_of(text))
    run.apply(
        {
            "kind": "order.paid",
            "event_id": f"e{number}",
            "order_id": f"o{number}",
            "amount_minor": amount,
            "currency": "USD",
            "at_ms": START + day * DAY,
            "record_ms": START + day * DAY,
        }
        for number, (day, amount) in enumerate(orders)
    )
    return run


def prevention(run: Run, grading: str, day: int) -> Prevention | None:
    """Return what prevents the next fall, ordered on that day."""
    now = START + day * DAY
    run.wake_at(now)
    found = {one.grading: one for one in outlooks(TerseScorer(run.plan), run.customer, now)}
    forecast = found[grading].forecast
    assert forecast is not None
    assert found[grading].falls
    return forecast.prevention


def test_a_sum_is_filled_up_to_the_level_that_keeps_the_tier() -> None:
    """5,000 of 12,000 leave; 8,000 are wanted."""
    run = bought(POLICY, (0, 7_000), (5, 5_000))
    assert prevention(run, "value", 10) == Prevention(3_000, 1, "USD")


def test_an_average_takes_an_amount_that_no_level_names() -> None:
    """(1,000 + 2,999) / 2 = 1,999.5 rounds to the even 2,000, and 1,999 would not do."""
    run = bought(POLICY, (0, 10_000), (1, 1_000))
    assert prevention(run, "size", 10) == Prevention(2_999, 1, "USD")


def test_a_count_takes_orders_of_the_usual_size() -> None:
    """Two of the three have left, and one order makes two of the usual 20.00 at most."""
    run = bought(POLICY, (0, 2_000), (0, 1_000), (2, 3_000))
    assert prevention(run, "rhythm", 10) == Prevention(2_000, 2, "USD")


def test_an_order_that_leaves_no_later_prevents_nothing() -> None:
    """Placed at the instant of the last one, it goes with it."""
    run = bought(POLICY, (0, 12_000))
    assert prevention(run, "value", 0) is None


def told(run: Run) -> list[tuple[Any, ...]]:
    """Return what was announced: day issued, status, day of the fall, sequence."""
    return [
        (said["issued_at"][:10], said["status"], said["expected_at"][:10], said["sequence"])
        for said in (json.loads(r.value or b"") for r in run.rows if r.topic == "tier-forecasts")
    ]


def test_a_silent_customer_is_warned_of_at_the_lead_and_then_falls_in_silence() -> None:
    """2023-11-14 and 30 days are 12-14; seven days before is 12-07."""
    run = bought(WARNED, (0, 12_000))
    run.wake(START + 22 * DAY)
    assert told(run) == []
    run.wake(START + 23 * DAY)
    assert told(run) == [("2023-12-07", "at_risk", "2023-12-14", 1)]
    run.wake(START + 100 * DAY)
    assert len(told(run)) == 1


def test_an_order_withdraws_the_warning_and_the_next_one_names_the_new_instant() -> None:
    """An order that keeps the tier for longer than the lead ends the warning for now."""
    run = bought(WARNED, (0, 12_000), (25, 9_000))
    run.wake(START + 60 * DAY)
    assert told(run) == [
        ("2023-12-07", "at_risk", "2023-12-14", 1),
        ("2023-12-09", "withdrawn", "2023-12-14", 2),
        ("2024-01-01", "at_risk", "2024-01-08", 3),
    ]


def test_an_order_that_is_too_small_leaves_the_warning_as_it_is() -> None:
    """The fall comes at the same instant, to the same tier."""
    run = bought(WARNED, (0, 12_000), (25, 1_000))
    run.wake(START + 60 * DAY)
    assert [status for _, status, _, _ in told(run)] == ["at_risk"]


def test_changes_say_what_comes_next_only_where_the_policy_asks() -> None:
    """The default is the instant and the tier."""
    silent, asked = bought(POLICY, (0, 12_000)), bought(WARNED, (0, 12_000))
    assert all(change.forecast is None for change in silent.changes)
    (value,) = [change for change in asked.changes if change.grading == "value"]
    assert value.forecast is not None
    assert (value.forecast.tier, value.forecast.at_ms) == ("lead", START + 30 * DAY)
    assert value.forecast.prevention is None


@pytest.mark.parametrize("batches", [[3], [1, 2], [2, 1], [1, 1, 1]])
def test_an_erasure_does_not_take_back_a_warning_that_was_due_before(batches: list[int]) -> None:
    """Whichever records came in one batch: the warning is announced before the tombstone."""
    plan = plan_of(WARNED)
    bucket = Bucket(BucketHead(0, 0, 1, {}, [], None, 0), Scorer(plan), WINDOW)
    bucket.adopt(CUSTOMER, None)
    events = iter([_paid(0, 10_000), _paid(24, 1), _erase(25)])
    rows = []
    for size in batches:
        bucket.apply_to(CUSTOMER, [to_arrival(event, plan) for event in islice(events, size)])
        rows += [decode_row(row) for row in bucket.commit({}, None).outbox]
    assert [row.topic for row in rows if row.value is None] == [CUSTOMER_TIERS]
    told = [json.loads(row.value or b"") for row in rows if row.topic == TIER_FORECASTS]
    assert [(one["status"], one["issued_at"]) for one in told] == [
        ("at_risk", format_instant(START + 23 * DAY))
    ]


def _paid(day: int, amount: int) -> dict[str, Any]:
    return _told(day, "order.paid", order_id=f"o{day}", amount_minor=amount, currency="USD")


def _erase(day: int) -> dict[str, Any]:
    return _told(day, "customer.erase", reason="asked")


def _told(day: int, kind: str, **more: Any) -> dict[str, Any]:
    at_ms = START + day * DAY
    return {
        "kind": kind,
        "event_id": f"e{day}",
        "customer_id": CUSTOMER,
        "at_ms": at_ms,
        "record_ms": at_ms,
        **more,
    }


def test_a_word_on_consent_that_is_read_again_lets_nothing_through_behind_it() -> None:
    """What was passed over is not remembered by its id: it must be passed over again."""
    plan = plan_of(WARNED)
    bucket = Bucket(BucketHead(0, 0, 1, {}, [], None, 0), Scorer(plan), WINDOW)
    bucket.adopt(CUSTOMER, None)
    events = [_paid(0, 10_000), _told(1, "consent.changed", scoring=False), _paid(2, 10_000)]
    for _ in range(2):
        bucket.apply_to(CUSTOMER, [to_arrival(event, plan) for event in events])
        bucket.commit({}, None)
    assert bucket.customers[CUSTOMER].orders.totals.count == 1


def test_warnings_and_withdrawals_are_counted_once_with_the_commit_that_announces_them() -> None:
    plan = plan_of(WARNED)
    bucket = Bucket(BucketHead(0, 0, 0, {}, [], None, 0), Scorer(plan), WINDOW)
    bucket.adopt(CUSTOMER, None)
    counted = []
    for number, day in enumerate((0, 25)):
        paid = {"kind": "order.paid", "event_id": f"e{number}", "order_id": f"o{number}"}
        at = {"at_ms": START + day * DAY, "record_ms": START + day * DAY}
        arrival = to_arrival({**paid, "amount_minor": 12_000, "currency": "USD", **at}, plan)
        bucket.apply_to(CUSTOMER, [arrival])
        tally = bucket.tally
        rows = [decode_row(row) for row in bucket.commit({}, None).outbox]
        counted.append([warning.status for warning in tally.warnings])
        announced = [json.loads(r.value or b"") for r in rows if r.topic == TIER_FORECASTS]
        assert counted[-1] == [said["status"] for said in announced]
    assert counted == [[], ["at_risk", "withdrawn"]]
