"""CDNOW: the published table of the sample, and brute force over the whole log.

The log is real (an online music shop, 1997-01 to 1998-06) and the table is Fader and Hardie's
("Counting Your Customers" the Easy Way, Marketing Science 24, 2005), both as shipped in the
distribution ``lifetimes``.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from agents.replay.cdnow import data_file, read_cdnow
from tests.oracle.facts import DAY, Policy
from tests.oracle.history import History
from tests.properties.driver import Run, plan_of, turns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from stream.plan import Plan

POLICY = Path(__file__).parents[2] / "deploy" / "policies" / "cdnow.yaml"
START = 852_076_800_000  # 1997-01-01T00:00:00Z
END_OF_TABLE = START + 272 * DAY  # 1997-09-30T00:00:00Z
# Ten instants from the first quarter to a year after the log ends, when all have left.
INSTANTS = [START + days * DAY for days in (30, 89, 120, 180, 272, 364, 365, 455, 545, 910)]
# Every thirtieth customer in the quick suite.
SAMPLE = 30
TABLE = """
policy: table
version: 1
time_zone: UTC
currency: USD
measures:
  purchases: {count: orders}
  since_last: {days_since: last_order}
  since_first: {days_since: first_order}
  spent: {sum: revenue}
  first_spent: {first: gross}
gradings:
  known: {type: bands, measure: purchases, tiers: [{tier: repeat, enter: 2}, {tier: once}]}
"""
Event = dict[str, Any]


def events_of(dataset: str) -> dict[str, list[Event]]:
    """Return the orders of each customer as plain events, in the order of the file."""
    orders: dict[str, list[Event]] = defaultdict(list)
    for row in read_cdnow(dataset):
        orders[row.customer_id].append(
            {
                "kind": "order.paid",
                "customer_id": row.customer_id,
                "event_id": row.order_id,
                "order_id": row.order_id,
                "at_ms": row.occurred_ms,
                "record_ms": row.occurred_ms,
                "amount_minor": row.amount_minor,
                "currency": row.currency,
            }
        )
    for listed in orders.values():
        listed.sort(key=lambda event: event["record_ms"])
    return orders


def test_the_published_table_comes_out_for_every_customer() -> None:
    """2,357 of 2,357: repeat count, recency, age and mean repeat spend at 1997-09-30.

    The table's conventions, in terms of measures:

    * what a customer spends on one day is one purchase, so days are joined before the replay;
    * x is the number of purchases less one;
    * T is the age: whole days since the first purchase, in weeks of 7 days;
    * t_x is the recency, counted from the first purchase (here: less the days since the last);
    * zbar is what was spent after the first purchase over x, 0 where x is 0; in dollars;
    * all but x are rounded to two decimals, half up.
    """
    plan = plan_of(TABLE)
    with data_file("cdnow_customers_summary_with_transactions.csv").open() as lines:
        published = {row["ID"]: row for row in csv.DictReader(lines)}
    computed = {}
    for customer_id, orders in events_of("cdnow-sample").items():
        run = Run(plan, customer_id)
        for order in _joined_by_day(orders):
            if order["at_ms"] <= END_OF_TABLE:
                run.apply([order])
        computed[str(int(customer_id))] = _table_row(run.measures(END_OF_TABLE))
    wrong = {
        key: (row, computed.get(key))
        for key, row in published.items()
        if computed.get(key) != tuple(Fraction(row[c]) for c in ("x", "t_x", "T", "zbar"))
    }
    assert len(published) == len(computed) == 2_357
    assert not wrong


def _joined_by_day(orders: Iterable[Event]) -> Iterator[Event]:
    days: dict[int, Event] = {}
    for order in orders:
        known = days.setdefault(order["at_ms"], order | {"amount_minor": 0})
        known["amount_minor"] += order["amount_minor"]
    yield from days.values()


def _table_row(measures: Mapping[str, int]) -> tuple[Fraction, ...]:
    repeats = measures["purchases"] - 1
    age = measures["since_first"]
    spent = Fraction(measures["spent"] - measures["first_spent"], 100)
    weeks = Fraction(age - measures["since_last"], 7), Fraction(age, 7)
    mean = spent / repeats if repeats else Fraction(0)
    return Fraction(repeats), *map(_cents, weeks), _cents(mean)


def _cents(number: Fraction) -> Fraction:
    return Fraction((number * 100 + Fraction(1, 2)).__floor__(), 100)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(POLICY.read_text())


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy(yaml.safe_load(POLICY.read_text()))


@pytest.fixture(scope="module")
def orders() -> dict[str, list[Event]]:
    return events_of("cdnow")


def test_a_thirtieth_of_the_customers_agrees_with_brute_force(
    plan: Plan, policy: Policy, orders: dict[str, list[Event]]
) -> None:
    """Measures, tiers and history at ten instants; 786 customers, those with most orders too."""
    busiest = sorted(orders, key=lambda customer: len(orders[customer]))[-20:]
    for customer_id in sorted({*busiest, *sorted(orders)[::SAMPLE]}):
        _agrees(plan, policy, customer_id, orders[customer_id])


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_every_customer_agrees_with_brute_force(
    plan: Plan, policy: Policy, orders: dict[str, list[Event]]
) -> None:
    """All 69,659 orders of 23,570 customers; some minutes."""
    assert len(orders) == 23_570
    assert sum(map(len, orders.values())) == 69_659
    changes = sum(_agrees(plan, policy, key, listed) for key, listed in orders.items())
    assert changes > len(orders)


def _agrees(plan: Plan, policy: Policy, customer_id: str, orders: list[Event]) -> int:
    """Compare a customer at the ten instants; return how many changes there were in all."""
    run, oracle = Run(plan, customer_id), History(policy, customer_id)
    waiting = list(orders)
    for instant in INSTANTS:
        due = [order for order in waiting if order["record_ms"] <= instant]
        waiting = waiting[len(due) :]
        for order in due:
            oracle.apply(order)
        if not run.customer.clock_ms and not due:
            continue
        run.apply(due)
        run.wake(instant)
        oracle.advance(instant)
        assert run.measures(instant) == oracle.facts.measures(instant), (customer_id, instant)
        assert run.grades() == oracle.grades(), (customer_id, instant)
        assert turns(run.changes) == sorted(oracle.turns, key=lambda turn: turn[:4])
    assert not waiting
    return len(oracle.turns)
