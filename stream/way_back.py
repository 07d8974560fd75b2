"""What would have changed a downgrade back at once: one order, found at the moment of the change.

A downgrade is rare but the fold is not, so this looks at few amounts: those that would take a
sum of money to a level of the policy. `stream.counterfactual` searches them all.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from stream.customer import ORDERS
from stream.ledger import OrderEntry
from stream.money import MAX_MINOR
from stream.regrade import cuts_of, deciding, leaders, regrade
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.changes import Change
    from stream.customer import Customer, Value
    from stream.plan import Plan

DOWN = "down"
_MOST_AMOUNTS = 8


class WayBack(Struct, frozen=True, gc=False):
    """One order, paid at the instant of a downgrade, that takes it back.

    Attributes:
        tier: What it leads to: the tier that was lost, or a better one.
        measure: The first measure that it takes across a level of the grading; None where
            several must be looked at together.
        amount_minor: Least amount; one minor unit less would not do. 0: any order does.
        currency: The reporting currency, which the amount is in.
    """

    tier: str
    measure: str | None
    amount_minor: int
    currency: str


class _Rules(NamedTuple):
    """What of a plan matters to one grading.

    Attributes:
        position: Of the grading.
        mask: The grading and all that it depends on.
        levels: Positions of the measures that an order moves, with their cuts.
    """

    position: int
    mask: int
    levels: tuple[tuple[int, tuple[int, ...]], ...]


class WaysBack:
    """Finds ways back under one policy. Holds nothing but what follows from the plan."""

    __slots__ = ("_plan", "_rules")

    def __init__(self, plan: Plan) -> None:
        """Prepare for the gradings of *plan* that have a ladder of tiers."""
        self._plan = plan
        self._rules = {
            grading.name: _Rules(
                position,
                leaders(plan, position),
                tuple(
                    (index, cuts_of(plan, position, index))
                    for index in deciding(plan, position)
                    if plan.measures[index].source == ORDERS
                ),
            )
            for position, grading in enumerate(plan.gradings)
            if grading.ladder.rungs
        }

    def added(self, customer: Customer, changes: Sequence[Change]) -> Sequence[Change]:
        """Return *changes*, just made to *customer*, each downgrade with its way back."""
        return [
            replace(change, counterfactual=self.find(customer, change))
            if change.direction == DOWN and change.grading in self._rules
            else change
            for change in changes
        ]

    def find(self, customer: Customer, change: Change) -> WayBack | None:
        """Return one order that takes a downgrade back, or None where none was found.

        The customer, judged at the instant of the change, is the same afterwards.
        """
        rules = self._rules[change.grading]
        grading = self._plan.gradings[rules.position]
        rank = grading.rank(change.before) if change.before is not None else None
        if rank is None:
            return None
        trial = _Trial(self._plan, rules, customer, change.instant_ms)
        low: int | None = None
        for amount_minor in trial.amounts():
            if trial.rank(amount_minor) < rank:
                low = amount_minor
                continue
            least = amount_minor if low is None else trial.least(low, amount_minor, rank)
            return WayBack(
                trial.tier(least) or "",
                trial.crossed(least),
                least,
                self._plan.converter.reporting,
            )
        return None


class _Trial:
    """Counts an order, reads, and takes it back: what an event costs, not what a copy does."""

    def __init__(self, plan: Plan, rules: _Rules, customer: Customer, now_ms: int) -> None:
        self._plan = plan
        self._rules = rules
        self._customer = customer
        self._now_ms = now_ms
        self._before = plan.read(customer, now_ms)
        self._tried: dict[int, Sequence[Value] | None] = {}

    def amounts(self) -> list[int]:
        """Return the amounts that take a sum of money to one of its next levels, ascending."""
        found = {0}
        for index, cuts in self._rules.levels:
            if self._plan.measures[index].unit == "money":
                value: int = self._before[index]  # type: ignore[assignment]
                found.update(cut - value for cut in cuts if value < cut <= value + MAX_MINOR)
        return sorted(found)[:_MOST_AMOUNTS]

    def tier(self, amount_minor: int) -> str | None:
        """Return the tier with one more order of that amount."""
        values = self._values(amount_minor)
        if values is None:
            return None
        rules = self._rules
        tiers = regrade(self._plan, values, self._customer.grades, self._now_ms, rules.mask)
        return tiers[rules.position]

    def rank(self, amount_minor: int) -> int:
        """Return how good that tier is; below all for none."""
        tier = self.tier(amount_minor)
        rank = None if tier is None else self._plan.gradings[self._rules.position].rank(tier)
        return MISSING if rank is None else rank

    def least(self, low: int, high: int, rank: int) -> int:
        """Return the least amount above *low*, which is not enough, up to *high*, which is."""
        middle = high - 1  # nearly always not enough
        while high - low > 1:
            if self.rank(middle) >= rank:
                high = middle
            else:
                low = middle
            middle = (low + high) // 2
        return high

    def crossed(self, amount_minor: int) -> str | None:
        """Return the measure that the last minor unit of that order takes across a level."""
        before = self._before if amount_minor == 0 else self._values(amount_minor - 1)
        after = self._values(amount_minor)
        if before is None or after is None:
            return None
        for index, cuts in self._rules.levels:
            if bisect_right(cuts, before[index]) != bisect_right(cuts, after[index]):
                return self._plan.measures[index].name
        return None

    def _values(self, amount_minor: int) -> Sequence[Value] | None:
        """Return the readings with one more order; None where it cannot be tried in place."""
        if amount_minor not in self._tried:
            self._tried[amount_minor] = self._try(amount_minor)
        return self._tried[amount_minor]

    def _try(self, amount_minor: int) -> Sequence[Value] | None:
        customer, now_ms = self._customer, self._now_ms
        if not customer.orders.add_recent((OrderEntry(now_ms, amount_minor, 0),), now_ms):
            return None
        values = self._before.copy()
        for index, _ in self._rules.levels:
            values[index] = self._plan.measures[index].value(customer, now_ms)
        customer.orders.undo()
        return values
