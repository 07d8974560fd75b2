"""Looks for a customer whom one more order lowers: small histories through the real fold."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.calendar import DAY_MS
from stream.customer import ORDERS, Customer
from stream.fold import Payment, Scorer
from stream.ledger import OrderEntry
from stream.measures import PROFILE
from stream.proofs.judge import NOW_MS
from stream.proofs.monotone import rank
from stream.proofs.traits import FOREVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.customer import Value
    from stream.proofs.case import Case

TRIES = 800
_HOURS_AGO_MS = 6 * 3_600_000
_MOST_REPEATS = 12
_SEED = 1


@dataclass(frozen=True, slots=True)
class Example:
    """A customer before and after one more order.

    Attributes:
        before: Readings, by position of the measure.
        after: The same with the order.
        was: Tier before the order.
        now: Tier after it.
        amount: What was paid, in minor units.
        cost: What it cost, in minor units.
    """

    before: tuple[Value, ...]
    after: tuple[Value, ...]
    was: str
    now: str | None
    amount: int
    cost: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order so many days ago, in minor units."""

    days: int
    amount: int
    cost: int


class Search:
    """Makes up histories from the levels of one policy, the same ones every time."""

    def __init__(self, case: Case) -> None:
        """Take amounts, ages and numbers of orders from the levels of the policy."""
        self._case = case
        self._dice = random.Random(_SEED)  # noqa: S311 - examples, not secrets
        by_unit: dict[str, set[int]] = {}
        for watched in case.plan.watched:
            by_unit.setdefault(watched.measure.unit, set()).update(watched.cuts or (0, 50, 100))
        money = {cut for cut in by_unit.get("money", ()) if cut > 0}
        self._amounts = sorted({1, 100, *money, *(m - 1 for m in money), *(m // 2 for m in money)})
        ages = {t.near for t in case.traits} | {t.far for t in case.traits if t.far < FOREVER}
        ages |= {2 * t.far for t in case.traits if t.role == "growth"}
        ages |= {cut for cut in by_unit.get("days", ()) if cut > 0}
        self._ages = sorted(
            {0, 1, *ages, *(age - 1 for age in ages if age), *(age // 2 for age in ages)}
        )
        counts = {cut for cut in by_unit.get("count", ()) if 0 < cut <= _MOST_REPEATS}
        self._repeats = sorted({1, 2, *counts})
        self._numbers = sorted({0, 50, 100, *by_unit.get("number", ())})
        self._costly = any(
            t.field in {"cost", "contribution"} or t.per in {"cost", "contribution"}
            for t in case.traits
        )

    def run(self, wanted: Iterable[int]) -> dict[int, Example]:
        """Return an example for each grading, by position, for which one was found.

        Small histories come first.
        """
        left = set(wanted)
        found: dict[int, Example] = {}
        for number in range(TRIES):
            if not left:
                break
            for position, example in self._try(1 + 4 * number // TRIES, left).items():
                found[position] = example
                left.discard(position)
        return found

    def _try(self, groups: int, left: set[int]) -> dict[int, Example]:
        plan = self._case.plan
        scorer, customer = Scorer(plan), Customer("someone", plan.shape)
        self._live(scorer, customer, groups)
        before = tuple(plan.read(customer, NOW_MS))
        stood = [grade.tier for grade in customer.grades]
        order = self._order(0)
        self._pay(scorer, customer, NOW_MS, order, "another")
        customer.roll(NOW_MS)
        examples = {}
        for position in left:
            was, now = stood[position], customer.grades[position].tier
            grading = plan.gradings[position]
            if was is not None and rank(grading, now) < rank(grading, was):
                after = tuple(plan.read(customer, NOW_MS))
                examples[position] = Example(before, after, was, now, order.amount, order.cost)
        return examples

    def _live(self, scorer: Scorer, customer: Customer, groups: int) -> None:
        """Let a customer have a past up to now."""
        orders = [order for _ in range(groups) for order in self._group()]
        orders.sort(key=lambda order: -order.days)
        start = NOW_MS - (max((o.days for o in orders), default=0) + 1) * DAY_MS
        self._describe(scorer, customer, start)
        for number, order in enumerate(orders):
            at_ms = NOW_MS - order.days * DAY_MS - _HOURS_AGO_MS
            self._pay(scorer, customer, at_ms, order, str(number))
        self._interact(scorer, customer)
        scorer.wake_before(customer, NOW_MS)
        scorer.wake(customer, NOW_MS)

    def _describe(self, scorer: Scorer, customer: Customer, at_ms: int) -> None:
        attributes: dict[str, str | int | bool | None] = {}
        for position, measure in enumerate(self._case.plan.measures):
            if measure.source == PROFILE and self._dice.random() < 0.8:  # noqa: PLR2004 - mostly
                texts = self._case.texts.get(position)
                name = getattr(measure, "_attribute", measure.name)
                attributes[name] = self._dice.choice(texts or self._numbers)
        scorer.describe(customer, at_ms, "profile", attributes)

    def _interact(self, scorer: Scorer, customer: Customer) -> None:
        for kind in self._case.plan.shape.spans:
            if kind != ORDERS and self._dice.random() < 0.5:  # noqa: PLR2004 - every other time
                value = self._dice.choice(self._numbers)
                at_ms = NOW_MS - _HOURS_AGO_MS // 2
                scorer.interact(customer, at_ms, kind, kind, at_ms, value)

    def _group(self) -> Sequence[Order]:
        order = self._order(self._dice.choice(self._ages))
        return [order] * self._dice.choice(self._repeats)

    def _order(self, days: int) -> Order:
        amount = self._dice.choice(self._amounts)
        cost = self._dice.choice((0, 0, amount // 2, 2 * amount)) if self._costly else 0
        return Order(days, amount, cost)

    def _pay(self, scorer: Scorer, customer: Customer, at_ms: int, order: Order, name: str) -> None:
        entry = OrderEntry(at_ms, order.amount, order.cost)
        scorer.pay(customer, [Payment(at_ms, name, name, entry)])
