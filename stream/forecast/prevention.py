"""What would prevent a fall: orders placed now, found by letting time pass over a copy with them.

To prevent means: from now on up to and including the instant of the fall, the copy with the
orders stands at every instant at least as well as the customer does now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.arrivals import Payment
from stream.counterfactual import MOST_ORDERS
from stream.customer import ORDERS
from stream.forecast.warning import Prevention
from stream.ledger import OrderEntry
from stream.money import MAX_MINOR
from stream.regrade import cuts_of, deciding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stream.changes import Change
    from stream.customer import Customer
    from stream.fold import Scorer

_HYPOTHETICAL = "\x1fhypothetical"
_MOST_STEPS = 8


class Preventions:
    """Finds what prevents falls under one policy. Holds nothing but what follows from it."""

    __slots__ = ("_levels", "_scorer")

    def __init__(self, scorer: Scorer) -> None:
        """Try things out by *scorer*, which gives no reasons and warns nobody."""
        plan = scorer.plan
        self._scorer = scorer
        self._levels = {
            grading.name: [
                (position, index, plan.measures[index].unit)
                for index in deciding(plan, position)
                if plan.measures[index].source == ORDERS
            ]
            for position, grading in enumerate(plan.gradings)
        }

    def find(self, customer: Customer, fall: Change, now_ms: int) -> Prevention | None:
        """Return the least single order placed at *now_ms* that prevents *fall*.

        Where no amount does: how many orders of what the customer usually pays; None where
        none of those numbers do either that the levels of the policy suggest. The customer
        is the same afterwards.
        """
        if not self._levels[fall.grading]:
            return None
        trial = _Trial(self._scorer, customer, fall, now_ms)
        currency = self._scorer.plan.converter.reporting
        steps = self._steps(trial, fall.grading)
        amount_minor = _least(steps["money"], lambda amount: trial.holds(amount, 1), MAX_MINOR)
        if amount_minor is not None:
            return Prevention(amount_minor, 1, currency)
        usual = trial.usual_minor
        if not usual:
            return None
        numbers = sorted({*steps["count"], *(-(-step // usual) for step in steps["money"])})
        numbers = [1, *(number for number in numbers if 1 < number <= MOST_ORDERS)]
        orders = _least(numbers, lambda number: trial.holds(usual, number), None)
        return None if orders is None else Prevention(usual, orders, currency)

    def _steps(self, trial: _Trial, grading: str) -> dict[str, list[int]]:
        """Return how far money and counts are from their next levels when it falls."""
        found: dict[str, set[int]] = {"money": {0}, "count": set()}
        values = trial.at_the_fall()
        plan = self._scorer.plan
        for position, index, unit in self._levels[grading]:
            if unit in found:
                cuts = cuts_of(plan, position, index, values)
                value: int = values[index]  # type: ignore[assignment]
                found[unit].update(cut - value for cut in cuts if value < cut <= value + MAX_MINOR)
        return {unit: sorted(steps)[:_MOST_STEPS] for unit, steps in found.items()}


class _Trial:
    """A customer now, and the fall that is to be prevented."""

    def __init__(self, scorer: Scorer, customer: Customer, fall: Change, now_ms: int) -> None:
        self._scorer = scorer
        self._customer = customer
        self._fall = fall
        self._now_ms = now_ms
        self._position = scorer.plan.shape.names.index(fall.grading)
        grading = scorer.plan.gradings[self._position]
        # As good as the tier that is held, or better; ranks are there where falls are.
        self._good = frozenset(
            tier
            for tier in grading.tiers
            if fall.before is not None
            and (grading.rank(tier) or 0) >= (grading.rank(fall.before) or 0)
        )
        totals = customer.orders.totals
        self.usual_minor = totals.gross // totals.count if totals.count > 0 else 0

    def at_the_fall(self) -> list[int | str]:
        """Return the readings at the instant of the fall."""
        copy, fall_ms = self._customer.clone(), self._fall.instant_ms
        while copy.due_ms < fall_ms:
            self._scorer.wake(copy, copy.due_ms)
        copy.roll(fall_ms)
        return self._scorer.plan.read(copy, fall_ms)

    def holds(self, amount_minor: int, orders: int) -> bool:
        """Say whether so many orders of that amount, placed now, prevent the fall."""
        copy, now_ms = self._customer.clone(), self._now_ms
        payments = [
            Payment(now_ms, _HYPOTHETICAL, _HYPOTHETICAL, OrderEntry(now_ms, amount_minor, 0))
            for _ in range(orders)
        ]
        self._scorer.pay(copy, payments)
        if copy.grades[self._position].tier not in self._good:
            return False
        while copy.due_ms <= self._fall.instant_ms:
            self._scorer.wake(copy, copy.due_ms)
            if copy.grades[self._position].tier not in self._good:
                return False
        return True


def _least(steps: Iterable[int], holds: Callable[[int], bool], most: int | None) -> int | None:
    """Return the least number found that *holds*, while one less does not.

    Tries *steps*, ascending, then *most*, and looks between the last that does not hold and
    the first that does. Finds the least of all if every number above one that holds does too.
    """
    low: int | None = None
    for step in [*steps, *([] if most is None else [most])]:
        if not holds(step):
            low = step
            continue
        if low is None:
            return step
        high, middle = step, step - 1  # nearly always not enough
        while high - low > 1:
            if holds(middle):
                high = middle
            else:
                low = middle
            middle = (low + high) // 2
        return high
    return None
