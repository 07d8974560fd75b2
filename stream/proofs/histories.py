"""Looks for a customer whom one more order lowers: small histories through the real fold."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from schemas.policy.measures import AttributeMeasure
from stream.arrivals import Payment
from stream.calendar import DAY_MS
from stream.customer import ORDERS, Customer
from stream.fold import Scorer
from stream.gradings.base import Reading
from stream.ledger import OrderEntry
from stream.proofs.judge import NOW_MS
from stream.proofs.monotone import rank
from stream.proofs.traits import FOREVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stream.customer import Value
    from stream.proofs.case import Case

TRIES = 1_500
_HOURS_AGO_MS = 6 * 3_600_000
_MOST_REPEATS = 12
_SEED = 1
_MOSTLY = 0.7
_MOST_CLOSE = 30


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
    """Some equal orders so many days ago, in minor units."""

    days: int
    amount: int
    cost: int
    repeats: int = 1


@dataclass(frozen=True, slots=True)
class Past:
    """A made-up customer.

    Attributes:
        orders: Oldest first.
        attributes: What the profile says.
        values: By kind of interaction, the value of the one there was.
        more: The order whose effect is looked at.
    """

    orders: tuple[Order, ...]
    attributes: dict[str, str | int]
    values: dict[str, int]
    more: Order


class Search:
    """Makes up histories from the levels of one policy, the same ones every time."""

    def __init__(self, case: Case) -> None:
        """Take amounts, ages and numbers of orders from the levels of the policy."""
        self._case = case
        self._scorer = Scorer(case.plan)
        self._dice = random.Random(_SEED)  # noqa: S311 - examples, not secrets
        by_unit: dict[str, set[int]] = {}
        for watched in case.plan.watched:
            levels = by_unit.setdefault(watched.measure.unit, set())
            levels.update(cut for cut in watched.cuts or (50, 100) if cut > 0)
        money, counts = by_unit.get("money", set()), by_unit.get("count", set())
        ages = by_unit.get("days", set()) | {2 * t.far for t in case.traits if t.role == "growth"}
        ages |= {age for t in case.traits for age in (t.near, t.far) if 0 < age < FOREVER}
        self._amounts = sorted({1, 100, *money, *(part(m) for m in money for part in _PARTS)})
        self._ages = sorted({0, 1, *ages, *(part(age) for age in ages for part in _PARTS)})
        crossing = {n for count in counts for n in (count - 1, count) if 0 < n <= _MOST_REPEATS}
        self._repeats = sorted({1, 2, 10, *crossing})
        self._numbers = sorted({0, 50, 100, *by_unit.get("number", ())})
        self._costly = any({t.field, t.per} & {"cost", "contribution"} for t in case.traits)

    def run(self, wanted: Iterable[int]) -> dict[int, Example]:
        """Return an example for each grading, by position, for which one was found.

        Customers whose score an order lowers, if not their tier, are varied until it does.
        """
        left = set(wanted)
        found: dict[int, Example] = {}
        close: list[Past] = []
        for number in range(TRIES):
            if not left:
                break
            if close and number % 2:
                past = self._varied(self._dice.choice(close[-_MOST_CLOSE:]))
            else:
                past = self._past(1 + 3 * number // TRIES)
            examples, fell = self._try(past, left)
            found |= examples
            left -= examples.keys()
            if fell:
                close.append(past)
        return found

    # -- one history ----------------------------------------------------------

    def _try(self, past: Past, left: set[int]) -> tuple[dict[int, Example], bool]:
        """Return the examples that a history gives, and whether any score fell."""
        plan = self._case.plan
        customer = Customer("someone", plan.shape)
        self._live(customer, past)
        before = tuple(plan.read(customer, NOW_MS))
        stood = [grade.tier for grade in customer.grades]
        self._pay(customer, NOW_MS, past.more, "more")
        customer.roll(NOW_MS)
        after = tuple(plan.read(customer, NOW_MS))
        examples = {}
        fell = False
        for position in left:
            was, now = stood[position], customer.grades[position].tier
            grading = plan.gradings[position]
            if was is not None and rank(grading, now) < rank(grading, was):
                more = past.more
                examples[position] = Example(before, after, was, now, more.amount, more.cost)
            scores = [grading.score(Reading(NOW_MS, values, [])) for values in (before, after)]
            fell = fell or (None not in scores and scores[1].value < scores[0].value)  # type: ignore[union-attr]
        return examples, fell

    def _live(self, customer: Customer, past: Past) -> None:
        """Let a customer have a past up to now."""
        scorer = self._scorer
        start = NOW_MS - (max((o.days for o in past.orders), default=0) + 1) * DAY_MS
        scorer.describe(customer, start, "profile", past.attributes)
        for number, order in enumerate(past.orders):
            at_ms = NOW_MS - order.days * DAY_MS - _HOURS_AGO_MS
            for repeat in range(order.repeats):
                self._pay(customer, at_ms, order, f"{number}.{repeat}")
        at_ms = NOW_MS - _HOURS_AGO_MS // 2
        for kind, value in past.values.items():
            scorer.interact(customer, at_ms, kind, kind, at_ms, value)
        scorer.wake_before(customer, NOW_MS)
        scorer.wake(customer, NOW_MS)

    def _pay(self, customer: Customer, at_ms: int, order: Order, name: str) -> None:
        entry = OrderEntry(at_ms, order.amount, order.cost)
        self._scorer.pay(customer, [Payment(at_ms, name, name, entry)])

    # -- made up --------------------------------------------------------------

    def _past(self, groups: int) -> Past:
        orders = [self._order() for _ in range(groups)]
        kinds = [kind for kind in self._case.plan.shape.spans if kind != ORDERS]
        return Past(
            orders=_oldest_first(orders),
            attributes=self._attributes(),
            values={k: self._dice.choice(self._numbers) for k in kinds if self._mostly()},
            more=self._order(),
        )

    def _varied(self, past: Past) -> Past:
        """Return a past that differs in one thing."""
        orders = list(past.orders)
        place = self._dice.randrange(len(orders) + 1)
        if place == len(orders):
            orders.append(self._order())
        elif len(orders) > 1 and not self._mostly():
            del orders[place]
        else:
            new, old = self._order(), orders[place]
            key = self._dice.choice(("days", "amount", "repeats"))
            orders[place] = replace(old, **{key: getattr(new, key)})
        more = past.more if self._mostly() else self._order()
        attributes = past.attributes if self._mostly() else self._attributes()
        return replace(past, orders=_oldest_first(orders), attributes=attributes, more=more)

    def _attributes(self) -> dict[str, str | int]:
        made: dict[str, str | int] = {}
        for position, measure in enumerate(self._case.plan.measures):
            document = self._case.document.measures[measure.name]
            if isinstance(document, AttributeMeasure) and self._mostly():
                texts = self._case.traits[position].domain.texts
                made[document.attribute] = self._dice.choice(texts or self._numbers)
        return made

    def _order(self) -> Order:
        choice = self._dice.choice
        amount = choice(self._amounts)
        cost = choice((0, 0, amount // 2, 2 * amount)) if self._costly else 0
        return Order(choice(self._ages), amount, cost, choice(self._repeats))

    def _mostly(self) -> bool:
        return self._dice.random() < _MOSTLY


_PARTS: tuple[Callable[[int], int], ...] = (
    lambda level: max(level - 1, 1),
    lambda level: max(level // 2, 1),
    lambda level: max(level // 5, 1),
)


def _oldest_first(orders: Iterable[Order]) -> tuple[Order, ...]:
    return tuple(sorted(orders, key=lambda order: -order.days))
