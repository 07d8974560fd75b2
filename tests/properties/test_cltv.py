"""Lifetime value in the fold: any order of arrival, no late deadline, whatever the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, note
from hypothesis import strategies as st

from stream.cltv.measure import LifetimeValue
from stream.cltv.purchases import Purchases
from tests.oracle.facts import Policy
from tests.oracle.history import History
from tests.properties.driver import CUSTOMER, Run, plan_of
from tests.properties.histories import DAY, Event, histories
from tests.properties.profiles import tries

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

POLICY = """
policy: future
version: 1
time_zone: America/New_York
currency: EUR
rates: {JPY: "0.0061", KWD: "3.005"}
refund_days: 90
measures:
  orders: {count: orders}
  value:
    cltv: bgnbd_gamma_gamma
    purchases: {r: "0.6", alpha: "5", a: "0.9", b: "1.5", time_unit: days}
    spend: {p: "2", q: "3", gamma: "0.5"}
    horizon: 60d
    referral_uplift: "40%"
gradings:
  future:
    type: bands
    measure: value
    tiers:
      - {tier: high, enter: "6.00"}
      - {tier: middle, enter: "3.00"}
      - {tier: low, enter: "1.20"}
      - {tier: none}
"""
PLAN = plan_of(POLICY)
# Buckets go as soon as may be: what they said of the purchases must stay.
SHORT = POLICY.replace("refund_days: 90", "refund_days: 2").replace(
    "  orders: {count: orders}", "  orders: {count: orders, window: 2d}"
)
LEVELS = ((600, "high"), (300, "middle"), (120, "low"))
# What the oracle reads of the policy: it knows the other measures only.
ORACLE = {
    "time_zone": "America/New_York",
    "currency": "EUR",
    "rates": {"JPY": "0.0061", "KWD": "3.005"},
    "refund_days": 90,
    "measures": {"orders": {"count": "orders"}, "referrals": {"count": "referral"}},
    "gradings": {},
}


def expected(oracle: History, now_ms: int) -> tuple[int | None, str]:
    """Return value and tier by brute force over the raw events."""
    days = [day for day in oracle.facts.by_day["orders"] if day.count > 0]
    if not days:
        return None, "none"
    days.sort(key=lambda day: day.last_ms)
    first_ms = min(at_ms for at_ms, _ in oracle.facts.values["orders"])
    last_ms = days[-1].last_ms
    seen = Purchases(
        repeats=len(days) - 1,
        active_days=(last_ms - first_ms) // DAY,
        silent_days=max(now_ms - last_ms, 0) // DAY,
        repeat_minor=sum(day.amount("revenue") for day in days[1:]),
    )
    measure = PLAN.measures[1]
    assert isinstance(measure, LifetimeValue)
    referrals = len(oracle.facts.values["referral"])
    value = round(measure._model.value(seen) * (1 + 0.4 * referrals))
    return value, next((tier for level, tier in LEVELS if value >= level), "none")


@given(histories(), st.integers(0, 60))
@tries(150)
def test_every_day_has_the_value_and_tier_that_brute_force_finds(
    events: list[Event], silence: int
) -> None:
    """After each event, and on every hour between: deadlines alone keep the tier right."""
    _agree(Run(PLAN), History(Policy(ORACLE), CUSTOMER), events, silence)


@given(histories(lateness=False, days=40), st.integers(0, 20))
@tries(80)
def test_buckets_that_were_dropped_leave_what_they_said(events: list[Event], silence: int) -> None:
    """Without refunds that wait for their order: how long they do is not the matter here."""
    oracle = History(Policy(ORACLE | {"refund_days": 2}), CUSTOMER)
    _agree(Run(plan_of(SHORT)), oracle, list(_paid_before(events)), silence)


def _paid_before(events: list[Event]) -> Iterator[Event]:
    paid = set()
    for event in events:
        if event["kind"] == "order.paid":
            paid.add(event["order_id"])
        if event.get("order_id") in {None, *paid}:
            yield event


def _agree(run: Run, oracle: History, events: list[Event], silence: int) -> None:
    clock = 0
    for number, event in enumerate(events):
        run.apply([event])
        oracle.apply(event)
        clock = max(clock, event["record_ms"])
        if not run.customer.clock_ms:
            continue
        now = run.customer.clock_ms
        until = (
            max(clock, events[number + 1]["record_ms"])
            if number + 1 < len(events)
            else clock + silence * DAY
        )
        note(f"{number}: {now} to {until}")
        assert (run.measures(now)["value"], run.grades()["future"]) == expected(oracle, now)
        for instant in _instants(oracle, now, until):
            for look in (instant - 1, instant):
                if now <= look < until:
                    run.wake(look)
                    found = run.measures(look)["value"], run.grades()["future"]
                    assert found == expected(oracle, look)


def _instants(oracle: History, now_ms: int, until_ms: int) -> list[int]:
    """Return every instant at which the value could change by time alone."""
    days = [day.last_ms for day in oracle.facts.by_day["orders"] if day.count > 0]
    if not days:
        return []
    first = max(days) + max((now_ms - max(days)) // DAY, 0) * DAY
    return list(range(first, until_ms, DAY))


@given(histories(lateness=False), st.randoms(use_true_random=False), st.integers(0, 9))
@tries(100)
def test_any_order_of_arrival_gives_the_same_value(
    events: list[Event], shuffler: random.Random, silence: int
) -> None:
    events = [event for event in events if event["kind"] != "profile.changed"]
    end = max((event["at_ms"] for event in events), default=0) + silence * DAY
    punctual, late = Run(PLAN), Run(PLAN)
    for event in events:
        punctual.apply([event])
    mixed = [event | {"record_ms": end} for event in events]
    shuffler.shuffle(mixed)
    late.apply(mixed)
    assert punctual.measures(end) == late.measures(end)
    if punctual.customer.clock_ms:
        punctual.wake(end)
        assert punctual.grades() == late.grades()
