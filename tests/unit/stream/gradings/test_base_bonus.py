"""Base points and bonus items (seed 004): the worked example, once each, and parts that add up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from schemas.policy import load_policy
from stream.gradings.base import Reading
from stream.plan import compile_policy
from tests.properties.driver import Run
from tests.unit.stream.policies import DAY, happened, paid, policy

T0 = 852_076_800_000
SHIPPED = Path("deploy/policies/base-bonus.yaml")


def seed_customer() -> Run:
    """Return the customer of seed 004 by the shipped policy: orders of 500,000 CNY so far."""
    run = Run(compile_policy(load_policy(SHIPPED)))
    run.apply([paid(1, T0, 500_000_00, currency="CNY")])
    return run


def bonuses(start_ms: int) -> list[dict[str, Any]]:
    """Return two referrals, broad demand and a high valuation."""
    facts = {"product_lines": 4, "valuation_million": 2_000, "listed": "no"}
    return [
        happened("referral", 1, start_ms),
        happened("referral", 2, start_ms + 1),
        happened("profile.changed", 1, start_ms + 2, attributes=facts),
    ]


def test_g4_orders_of_500_000_earn_a_base_of_10_and_grade_e() -> None:
    """Seed 004: 订单数量为50w,基础分为10个点,E级别的普通客户."""
    (change,) = seed_customer().changes
    assert change.after == "e"
    assert change.score is not None
    assert change.score.value == 10
    label = load_policy(SHIPPED).gradings["customer_level"].labels()["e"]
    assert (label.zh, label.en) == ("E 普通", "E ordinary")


def test_g4_referrals_demand_and_valuation_lift_it_to_35_and_grade_d() -> None:
    """Seed 004: 客户的最终价值分数为35分, D级潜在客户; the parts say where 35 comes from."""
    run = seed_customer()
    run.apply(bonuses(T0 + DAY))
    change = run.changes[-1]
    assert (change.before, change.after, change.direction) == ("e", "d", "up")
    assert change.score is not None
    assert change.score.value == 35
    added = {part.indicator: part.contribution for part in change.score.parts}
    assert added == {"base": 10, "referrals": 10, "broad_demand": 5, "high_valuation": 10}
    assert [part.value for part in change.score.parts] == [500_000_00, 2, 1, 1]
    label = load_policy(SHIPPED).gradings["customer_level"].labels()["d"]
    assert label.zh == "D 潜在"


def test_an_item_counts_once_however_often_it_comes_about() -> None:
    """Ten referrals and a profile sent five times earn what two and one do."""
    run = seed_customer()
    run.apply(bonuses(T0 + DAY))
    for number in range(3, 11):
        run.apply([happened("referral", number, T0 + DAY + number)])
    facts = {"product_lines": 9, "valuation_million": 9_000, "listed": "no"}
    run.apply([happened("profile.changed", 7, T0 + 2 * DAY, attributes=facts)])
    assert len(run.changes) == 2
    score = run.plan.gradings[0].score(run_reading(run))
    assert score is not None
    assert score.value == 35


def run_reading(run: Run) -> Reading:
    """Return the customer's readings now."""
    customer = run.customer
    values = run.plan.read(customer, customer.clock_ms)
    return Reading(customer.clock_ms, values, [grade.tier for grade in customer.grades])


def test_an_item_expires_with_the_window_of_its_measure() -> None:
    """The referrals of seed 004 leave after 365 days, each order 365 days after it was paid."""
    run = seed_customer()
    run.apply(bonuses(T0 + DAY))
    run.apply([paid(2, T0 + 100 * DAY, 100_000_00, currency="CNY")])
    run.wake(T0 + 800 * DAY)
    moves = [(change.after, (change.instant_ms - T0) // DAY) for change in run.changes]
    # 35 -> 25 when the referrals leave: kept by the exit level of 25. 15 when the orders have left.
    assert moves == [("e", 0), ("d", 1), ("e", 465)]
    assert [reason.name for reason in run.changes[-1].reasons] == ["orders_year"]


def test_an_item_may_outlive_its_condition_by_a_tag() -> None:
    """A tag remembers; the bonus tests the tag, and ends exactly when it does."""
    gradings: dict[str, Any] = {
        "keen": {
            "type": "tag",
            "add_when": {"measure": "visits", "at_least": 1},
            "keep_days": 10,
        },
        "level": {
            "type": "base_bonus",
            "base": {"measure": "orders", "ranges": [{"points": 0.5}]},
            "bonus": {"keen": {"when": {"grading": "keen", "is": ["present"]}, "points": 2.25}},
            "tiers": [{"tier": "warm", "enter": 2.75}, {"tier": "cold"}],
        },
    }
    measures = {"visits": {"count": "visit", "window": "5d"}, "orders": {"count": "orders"}}
    run = Run(policy(measures, gradings))
    run.apply([happened("visit", 1, T0)])
    run.wake(T0 + 30 * DAY)
    moves = [
        (change.after, change.instant_ms - T0)
        for change in run.changes
        if change.grading == "level"
    ]
    assert moves == [("warm", 0), ("cold", 15 * DAY)]
    scores = [change.score.value for change in run.changes if change.score is not None]
    assert scores == [2.75, 0.5]


@pytest.mark.parametrize(("attributes", "total"), [({}, 0), ({"product_lines": 3}, 5)])
def test_what_is_unknown_earns_no_bonus_and_the_lowest_range(
    attributes: dict[str, int], total: int
) -> None:
    run = Run(compile_policy(load_policy(SHIPPED)))
    run.apply([happened("profile.changed", 1, T0, attributes=attributes | {"listed": "no"})])
    assert [change.score and change.score.value for change in run.changes] == [total]
