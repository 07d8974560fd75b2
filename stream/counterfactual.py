"""What orders or a refund would change a tier: found by folding them into a copy.

Never by a formula for one kind of grading: the copy goes through the same `Scorer` as the
customer does, so that averages, windows, hysteresis and other gradings all have their say.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from stream.arrivals import Payment
from stream.customer import ORDERS, decode, encode
from stream.ledger import OrderEntry
from stream.money import MAX_MINOR
from stream.regrade import betters, cuts_of, deciding, worsens
from stream.window import COUNT, GROSS, LAST_MS, REFUNDED

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.customer import Customer, Value
    from stream.fold import Scorer
    from stream.plan import Plan

MOST_ORDERS = 60
_HYPOTHETICAL = "\x1fhypothetical"
# Between two neighbours of these amounts every outcome is looked for by bisection.
_AMOUNTS = (0, *(1 << power for power in range(MAX_MINOR.bit_length() - 1)), MAX_MINOR)


class Outcome(NamedTuple):
    """What became of the copy: its readings and its tiers, by position."""

    values: list[Value]
    tiers: list[str | None]


class WhatIf:
    """A customer at an instant, to be tried out.

    Attributes:
        scorer: Applies the policy.
        now_ms: The instant; no deadline before it is left.
        returnable: Most that can be refunded of the orders of the newest day with any.
    """

    def __init__(self, scorer: Scorer, customer: Customer, now_ms: int) -> None:
        """Try things out on copies of *customer*, which is left as it is."""
        self.scorer = scorer
        self.now_ms = now_ms
        self._id = customer.customer_id
        self._stored = encode(customer, scorer.plan.shape)
        self._paid: dict[tuple[int, int], Outcome] = {}
        self._returned: dict[int, Outcome] = {}
        newest = [row for row in customer.orders.rows() if row[COUNT] > 0][-1:]
        self._newest_ms = newest[0][LAST_MS] if newest else 0
        self.returnable = newest[0][GROSS] - newest[0][REFUNDED] if newest else 0

    def paid(self, amount_minor: int, orders: int = 1) -> Outcome:
        """Return what *orders* orders of that amount each, paid at the instant, come to."""
        known = self._paid.get((amount_minor, orders))
        if known is None:
            copy = self._copy()
            payments = [
                Payment(
                    self.now_ms,
                    _HYPOTHETICAL,
                    f"{_HYPOTHETICAL}{number}",
                    OrderEntry(self.now_ms, amount_minor, 0),
                )
                for number in range(orders)
            ]
            self.scorer.pay(copy, payments)
            known = self._paid[amount_minor, orders] = self._outcome(copy)
        return known

    def returned(self, amount_minor: int) -> Outcome:
        """Return what a refund of that amount of the newest day's orders comes to."""
        known = self._returned.get(amount_minor)
        if known is None:
            copy = self._copy()
            entry = OrderEntry(self._newest_ms, self.returnable, 0)
            self.scorer.refund(copy, self.now_ms, _HYPOTHETICAL, _HYPOTHETICAL, amount_minor, entry)
            known = self._returned[amount_minor] = self._outcome(copy)
        return known

    def _copy(self) -> Customer:
        copy = decode(self._id, self._stored, self.scorer.plan.shape)
        # Of several ids: as one, so that a refund finds its day whichever of them paid.
        return copy if copy.identity is None else copy.clone()

    def _outcome(self, copy: Customer) -> Outcome:
        values = self.scorer.plan.read(copy, self.now_ms)
        return Outcome(values, [grade.tier for grade in copy.grades])


@dataclass(frozen=True, slots=True)
class Amount:
    """The least amount that changes a tier; one minor unit less does not.

    Attributes:
        amount_minor: Of each order, or of the refund, in the reporting currency.
        orders: How many equal orders, all placed at the instant; 0 for a refund.
        tier: What the tier would be; None: not graded.
    """

    amount_minor: int
    orders: int
    tier: str | None


def least_orders(what_if: WhatIf, position: int, now: str | None) -> Amount | None:
    """Return the fewest equal orders, and their least amount, that earn a better tier.

    Where tiers have no order: another tier than *now*. None where no `MOST_ORDERS` orders do.
    """
    plan = what_if.scorer.plan

    def good(tier: str | None) -> bool:
        return betters(plan, position, now, tier)

    for orders in _numbers(plan, position, what_if):

        def tried(amount_minor: int, orders: int = orders) -> Outcome:
            return what_if.paid(amount_minor, orders)

        amount_minor = _least(_seen(plan, position, tried), good, _AMOUNTS)
        if amount_minor is not None:
            return Amount(amount_minor, orders, tried(amount_minor).tiers[position])
    return None


def least_refund(what_if: WhatIf, position: int, now: str | None) -> Amount | None:
    """Return the least refund of the newest day's orders that costs the tier *now*."""
    plan = what_if.scorer.plan
    most = what_if.returnable
    if most <= 0 or now is None or plan.gradings[position].rank(now) is None:
        return None
    amounts = (*(amount for amount in _AMOUNTS if amount < most), most)

    def bad(tier: str | None) -> bool:
        return worsens(plan, position, now, tier)

    amount_minor = _least(_seen(plan, position, what_if.returned), bad, amounts)
    if amount_minor is None:
        return None
    return Amount(amount_minor, 0, what_if.returned(amount_minor).tiers[position])


# -- the search ----------------------------------------------------------------------------

_Seen = tuple[str | None, tuple["Value", ...]]


def _seen(plan: Plan, position: int, tried: Callable[[int], Outcome]) -> Callable[[int], _Seen]:
    """Return what tells apart the amounts that may lead to different tiers.

    That is the tier, and the range between two cuts in which each measure lies.
    """
    measures = [
        (index, cuts_of(plan, position, index), index in plan.gradings[position].continuous)
        for index in deciding(plan, position)
        if plan.measures[index].source == ORDERS
    ]

    def seen(amount_minor: int) -> _Seen:
        values, tiers = tried(amount_minor)
        return tiers[position], tuple(
            values[index] if continuous else bisect_right(cuts, values[index])
            for index, cuts, continuous in measures
        )

    return seen


def _least(
    seen: Callable[[int], _Seen], wanted: Callable[[str | None], bool], amounts: tuple[int, ...]
) -> int | None:
    """Return the least amount whose tier is *wanted*: the one below it has another tier.

    Between two of *amounts* every step is found, as long as each measure moves one way only.
    """
    low = amounts[0]
    if wanted(seen(low)[0]):
        return low
    for high in amounts[1:]:
        while seen(high) != seen(low):
            same, other = low, high
            while other - same > 1:
                middle = (same + other) // 2
                if seen(middle) == seen(low):
                    same = middle
                else:
                    other = middle
            low = other
            if wanted(seen(low)[0]):
                return low
        low = high
    return None


def _numbers(plan: Plan, position: int, what_if: WhatIf) -> list[int]:
    """Return the numbers of orders at which a grading may change, ascending."""
    found = {1}
    values = what_if.paid(0).values
    for index in deciding(plan, position):
        measure = plan.measures[index]
        if measure.source == ORDERS and measure.unit == "count":
            after: int = values[index]  # type: ignore[assignment]
            found.update(cut - after + 1 for cut in cuts_of(plan, position, index))
    return sorted(number for number in found if 1 <= number <= MOST_ORDERS)
