"""What forecasts cost: walks per second, wakes per walk, and what a tier change pays for them.

The CDNOW sample under the shipped policy, in this process, without broker and Redis::

    python -m tests.bench.forecast [--customers N] [--lead DAYS]

The last table is the same log folded without forecasts and with each thing a policy may ask
for, in turns, so that the machine's moods hit all alike: CPU µs per order, least of the rounds.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from agents.replay.cdnow import read_cdnow
from schemas.policy import parse_policy
from stream.arrivals import Payment
from stream.customer import Customer
from stream.fold import Scorer, TerseScorer
from stream.forecast.foresight import is_fall
from stream.forecast.prevention import Preventions
from stream.forecast.walk import foresee
from stream.ledger import OrderEntry
from stream.plan import compile_policy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.plan import Plan

POLICY = Path(__file__).parents[2] / "deploy" / "policies" / "cdnow.yaml"
ASKED = ("nothing", "instant", "prevention")
ROUNDS = 3
_MORE = 10_000


def plan_with(forecasts: str) -> Plan:
    """Compile the shipped policy with a line of *forecasts* below it."""
    return compile_policy(parse_policy(f"{POLICY.read_text()}\n{forecasts}\n", POLICY.name))


def orders_of(customers: int) -> dict[str, list[tuple[int, int]]]:
    """Return instant and amount of each order of so many customers of the sample."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in read_cdnow("cdnow-sample"):
        found[row.customer_id].append((row.occurred_ms, row.amount_minor))
    return {key: sorted(found[key]) for key in sorted(found)[:customers]}


def fold(plan: Plan, orders: Mapping[str, Sequence[tuple[int, int]]]) -> tuple[list[Customer], int]:
    """Fold every order, one at a time; return the customers and the number of changes."""
    scorer = Scorer(plan)
    customers, changes = [], 0
    for key, listed in orders.items():
        customer = Customer(key, plan.shape)
        customers.append(customer)
        for number, (at_ms, amount) in enumerate(listed):
            entry = OrderEntry(at_ms, amount, 0)
            changes += len(scorer.pay(customer, [Payment(at_ms, f"e{number}", f"{number}", entry)]))
    return customers, changes


def walks(customers: Sequence[Customer], plan: Plan) -> None:
    """Print what walks and preventions take for every customer at their last order."""
    scorer = TerseScorer(plan)
    names = plan.shape.names
    started = time.process_time()
    found = [foresee(scorer, customer.clone(), names, more=_MORE) for customer in customers]
    spent = time.process_time() - started
    wakes = [one.wakes for one in found]
    print(
        f"walks to the next change of all {len(names)} gradings: {len(found) / spent:,.0f}/s; "
        f"{sum(wakes) / len(wakes):.1f} wakes each, at most {max(wakes)}; "
        f"{spent / sum(wakes) * 1e6:.1f} µs a wake"
    )
    preventions = Preventions(scorer)
    started = time.process_time()
    asked = prevented = 0
    for customer, one in zip(customers, found, strict=True):
        for change in filter(is_fall, one.first.values()):
            asked += 1
            prevented += preventions.find(customer, change, customer.clock_ms) is not None
    spent = time.process_time() - started
    print(f"preventions: {asked} falls, {prevented} prevented, {spent / asked * 1e6:,.0f} µs each")


def folds(orders: Mapping[str, Sequence[tuple[int, int]]], lead_days: int) -> None:
    """Print what orders cost with and without forecasts."""
    plans = {"no forecasts": plan_with("")}
    for asked in ASKED:
        line = f"forecasts: {{lead_days: {lead_days}, in_changes: {asked}}}"
        plans[f"warnings, in_changes: {asked}"] = plan_with(line)
    best = dict.fromkeys(plans, float("inf"))
    changes = dict.fromkeys(plans, 0)
    count = sum(map(len, orders.values()))
    for _ in range(ROUNDS):
        for name, plan in plans.items():
            started = time.process_time()
            changes[name] = fold(plan, orders)[1]
            best[name] = min(best[name], time.process_time() - started)
    base = best["no forecasts"]
    for name, spent in best.items():
        more = (spent - base) / changes[name] * 1e6
        print(
            f"{name:>30}: {spent / count * 1e6:7.1f} CPU µs per order, "
            f"{more:7.1f} more per tier change ({changes[name]} changes, {count} orders)"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.bench.forecast")
    parser.add_argument("--customers", type=int, default=1_000)
    parser.add_argument("--lead", type=int, default=14, metavar="DAYS")
    arguments = parser.parse_args()
    orders = orders_of(arguments.customers)
    plan = plan_with("")
    customers, _ = fold(plan, orders)
    walks(customers, plan)
    folds(orders, arguments.lead)


if __name__ == "__main__":
    main()
