"""Lifetime value as a measure: what counts as a purchase, what it is worth, when it falls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.policy import PolicyFileError
from stream.cltv.measure import LifetimeValue
from stream.cltv.purchases import Purchases, purchases_of
from stream.sentinels import NEVER
from tests.properties.driver import Run
from tests.properties.profiles import tries
from tests.unit.stream.cltv.published import PURCHASES, SPEND
from tests.unit.stream.policies import (
    DAY,
    HOUR,
    bands,
    cancelled,
    happened,
    paid,
    policy,
    refunded,
)

if TYPE_CHECKING:
    from stream.customer import Customer
    from stream.plan import Plan

T0 = 852_076_800_000
CLTV: dict[str, Any] = {
    "cltv": "bgnbd_gamma_gamma",
    "purchases": {
        "r": "0.243",
        "alpha": "4.414",
        "a": "0.793",
        "b": "2.426",
        "time_unit": "weeks",
    },
    "spend": {"p": "6.25", "q": "3.74", "gamma": "15.44"},
    "horizon": "273d",
}


def reading(events: list[dict[str, Any]], now_ms: int, **more: Any) -> Any:
    """Return the value after *events*."""
    run = Run(policy({"asked": CLTV | more}))
    run.apply(events)
    return run.measures(now_ms)["asked"]


def bought(events: list[dict[str, Any]], now_ms: int) -> Purchases | None:
    """Return the purchases that the core sees after *events*."""
    run = Run(policy({"orders": {"count": "orders"}}, refund_days=30))
    for event in events:
        run.apply([event])
    run.customer.roll(now_ms)
    return purchases_of(run.customer.orders, now_ms)


ORDERS = [
    paid(1, T0, 2_000),
    paid(2, T0 + 5 * HOUR, 1_000),  # the same day: still the first purchase
    paid(3, T0 + 70 * DAY, 3_000),
    paid(4, T0 + 213 * DAY, 2_500),
    paid(5, T0 + 213 * DAY + HOUR, 500),
]


def test_a_day_is_a_purchase_and_the_first_one_does_not_count() -> None:
    assert bought(ORDERS, T0 + 272 * DAY) == Purchases(2, 213, 58, 6_000)


def test_days_that_were_dropped_for_age_still_count() -> None:
    """Buckets are kept for 30 days here; the first one's revenue is remembered."""
    recent = {"recent": {"count": "orders", "window": "5d"}}
    run = Run(policy(recent, refund_days=30))
    for event in ORDERS:
        run.apply([event])
    before = purchases_of(run.customer.orders, T0 + 272 * DAY)
    run.reload()
    assert len(list(run.customer.orders.rows())) == 1
    assert purchases_of(run.customer.orders, T0 + 272 * DAY) == before
    assert purchases_of(run.customer.orders, T0 + 272 * DAY) == Purchases(2, 213, 58, 6_000)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], None),
        ([paid(1, T0), cancelled(1, T0 + HOUR)], None),
        ([paid(1, T0)], Purchases(0, 0, 20, 0)),
        # A refund lowers what the purchase brought, not that it was one.
        ([paid(1, T0), paid(2, T0 + DAY, 300), refunded(2, T0 + 2 * DAY, 100)], (1, 1, 19, 200)),
        # Of the first purchase: of no matter.
        ([paid(1, T0), paid(2, T0 + DAY, 300), refunded(1, T0 + 2 * DAY, 100)], (1, 1, 19, 300)),
        # A cancelled repeat purchase is none.
        ([paid(1, T0), paid(2, T0 + DAY), cancelled(2, T0 + 2 * DAY)], (0, 0, 20, 0)),
        # A cancelled day comes back with another order.
        (
            [
                paid(1, T0),
                paid(2, T0 + DAY),
                cancelled(2, T0 + DAY + HOUR),
                paid(3, T0 + DAY + 2 * HOUR, 700),
            ],
            (1, 1, 18, 700),
        ),
        # Late: the order of arrival is of no matter.
        ([paid(2, T0 + DAY, 300), paid(1, T0, 100, record_ms=T0 + 9 * DAY)], (1, 1, 19, 300)),
        # Too late for its day to be known: a purchase of its own.
        (
            [paid(2, T0 - 1 + 40 * DAY, 300), paid(1, T0, 100, record_ms=T0 - 1 + 40 * DAY)],
            (1, 39, 0, 300),
        ),
    ],
)
def test_purchases_of_a_history(events: list[dict[str, Any]], expected: Any) -> None:
    now_ms = max([T0 + 20 * DAY, *(event["record_ms"] for event in events)])
    assert bought(events, now_ms) == expected


def test_the_value_is_purchases_to_come_times_what_each_is_worth() -> None:
    expected = PURCHASES.expected(2, 213 / 7, (213 + 58) / 7, 39.0) * SPEND.expected(2, 60.0)
    assert reading(ORDERS, T0 + 272 * DAY) == round(100 * expected)


def test_a_customer_who_bought_once_is_worth_what_the_population_spends() -> None:
    expected = PURCHASES.while_alive(0, 10 / 7, 39.0) * SPEND.mean
    assert reading([paid(1, T0, 999_999)], T0 + 10 * DAY) == round(100 * expected)


def test_without_a_surviving_order_nothing_is_known() -> None:
    assert reading([paid(1, T0), cancelled(1, T0)], T0 + DAY) is None


def test_margin_and_referrals_multiply() -> None:
    """R is the revenue after cost of sales, I what customers bring: seed 002."""
    now_ms = T0 + 272 * DAY
    plain = reading(ORDERS, now_ms)
    assert reading(ORDERS, now_ms, margin="50%") == pytest.approx(plain / 2, abs=1)
    invited = [*ORDERS, happened("referral", 1, now_ms), happened("referral", 2, now_ms)]
    assert reading(invited, now_ms, referral_uplift="10%") == pytest.approx(plain * 1.2, abs=1)
    assert reading(ORDERS, now_ms, referral_uplift="10%") == plain


def test_a_discount_takes_from_later_purchases() -> None:
    """Every 30 days from their middle: at 100 % a year, half of what a year away is worth."""
    now_ms = T0 + 272 * DAY
    whole, tenth = reading(ORDERS, now_ms), reading(ORDERS, now_ms, yearly_discount="10%")
    assert whole / 1.1 < tenth < whole
    month = reading(ORDERS, now_ms, horizon="30d")
    discounted = reading(ORDERS, now_ms, horizon="30d", yearly_discount="100%")
    assert discounted == pytest.approx(month / 2 ** (15 / 365), abs=1)


def test_places_of_the_currency_are_its_own() -> None:
    """A parameter in money is in major units: yen have no minor ones."""
    yen = {"currency": "JPY"}
    run = Run(policy({"asked": CLTV}, currency="JPY"))
    run.apply([order | yen for order in ORDERS])
    dollars = Run(policy({"asked": CLTV}))
    dollars.apply([order | {"amount_minor": 100 * order["amount_minor"]} for order in ORDERS])
    now_ms = T0 + 272 * DAY
    assert run.measures(now_ms)["asked"] == pytest.approx(
        dollars.measures(now_ms)["asked"] / 100, abs=0.51
    )


def test_it_grades_and_silence_takes_the_grade_away_on_the_day() -> None:
    """Bands over the value; the change by time is one day after the last day it held."""
    plan = policy({"asked": CLTV}, {"future": bands("asked", gold=40)})
    run = Run(plan)
    run.apply(ORDERS)
    run.wake(T0 + 3_000 * DAY)
    assert [change.after for change in run.changes[-2:]] == ["gold", "floor"]
    fell = run.changes[-1]
    assert fell.cause.kind == "time"
    assert reading(ORDERS, fell.instant_ms) < 4_000 <= reading(ORDERS, fell.instant_ms - 1)
    assert (fell.instant_ms - ORDERS[-1]["at_ms"]) % DAY == 0


def test_a_referral_alone_can_lift_a_customer() -> None:
    plan = policy({"asked": CLTV | {"referral_uplift": "50%"}}, {"future": bands("asked", gold=60)})
    run = Run(plan)
    run.apply(ORDERS)
    assert run.grades() == {"future": "floor"}
    run.apply([happened("referral", 1, T0 + 214 * DAY)])
    assert run.grades() == {"future": "gold"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cltv": "crystal_ball"}, "allowed: 'bgnbd_gamma_gamma'"),
        ({"horizon": "soon"}, "allowed: a number of days from 1d"),
        ({"margin": "0%"}, "allowed: a percent above 0%"),
        ({"spend": CLTV["spend"] | {"q": "1"}}, "allowed: a decimal number above 1"),
        ({"purchases": CLTV["purchases"] | {"r": "0"}}, "allowed: a decimal number above 0"),
        ({"purchases": CLTV["purchases"] | {"a": "2000"}}, "at most 1000"),
        ({"purchases": CLTV["purchases"] | {"time_unit": "years"}}, "allowed: 'days' or 'weeks'"),
        ({"purchases": {}}, "r: missing"),
    ],
)
def test_a_mistake_is_one_line_each(change: dict[str, Any], said: str) -> None:
    with pytest.raises(PolicyFileError) as caught:
        policy({"asked": CLTV | change})
    assert any(said in str(finding) for finding in caught.value.findings)


def _silent(plan: Plan, seen: Purchases) -> tuple[LifetimeValue, Customer]:
    """Return the measure and a customer of whom exactly *seen* is known."""
    run = Run(plan)
    days = [0, *(seen.active_days - i for i in reversed(range(seen.repeats)))]
    each = seen.repeat_minor // max(seen.repeats, 1)
    for number, day in enumerate(days):
        run.apply([paid(number, T0 + day * DAY, each)])
    measure = plan.measures[0]
    assert isinstance(measure, LifetimeValue)
    return measure, run.customer


@given(
    st.integers(0, 12),
    st.integers(0, 300),
    st.integers(0, 100),
    st.integers(0, 20_000),
    st.sampled_from([{}, {"yearly_discount": "20%"}, {"horizon": "30d"}]),
    st.floats(0.02, 1),
)
@tries(100)
def test_the_deadline_is_never_late_and_hardly_ever_early(
    repeats: int, active: int, silent: int, spent: int, more: dict[str, str], share: float
) -> None:
    """Against looking every day; an early one is drawn nearer by looking again then."""
    seen = Purchases(repeats, repeats + active if repeats else 0, silent, spent)
    plan = policy({"asked": CLTV | more})
    measure, customer = _silent(plan, seen)
    last_ms = customer.orders.last_ms()
    now_ms = last_ms + silent * DAY
    low = max(int(measure.value(customer, now_ms) * share), 1)
    due_ms = measure.due_ms(customer, now_ms, low, NEVER)
    held = [
        measure.value(customer, day_ms) >= low
        for day_ms in range(now_ms, min(due_ms, now_ms + 2_000 * DAY), DAY)
    ]
    if measure.value(customer, now_ms) < low:
        return
    assert all(held)
    assert (due_ms - last_ms) % DAY == 0
    looked = 0
    while due_ms - now_ms < 2_000 * DAY and measure.value(customer, due_ms) >= low:
        due_ms = measure.due_ms(customer, due_ms, low, NEVER)
        looked += 1
    assert looked <= 3


def test_nothing_falls_below_nothing() -> None:
    """A level of 0 or less needs no deadline, and neither does someone unknown."""
    measure, customer = _silent(policy({"asked": CLTV}), Purchases(1, 3, 0, 500))
    assert measure.due_ms(customer, T0 + 3 * DAY, 0, NEVER) == NEVER
    unknown = Run(policy({"asked": CLTV}))
    assert measure.due_ms(unknown.customer, T0, 100, NEVER) == NEVER
