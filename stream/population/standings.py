"""What one bucket's customers read in the rankings: what is new since it was last told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.sentinels import MISSING, NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stream.customer import Customer
    from stream.plan import Plan

Ranks = dict[str, dict[str, int | None]]
"""Readings by ranking and customer; None: the customer does not count, or no longer."""

_NEVER_TOLD = MISSING


class Standings:
    """Collects the ranked readings of the customers that a batch has touched.

    Costs an event nothing: readings are taken once for each customer and batch, when they are
    told. They are those of the latest instant that the customer is known to have reached.

    Attributes:
        untold: By customer, the instant as of which to tell, or its own clock where that is later.
    """

    __slots__ = ("untold",)

    def __init__(self) -> None:
        """Start with nothing to tell."""
        self.untold: dict[str, int] = {}

    def __bool__(self) -> bool:
        """Say whether there is anything to tell, or a new deadline."""
        return bool(self.untold)

    def note(self, customer_id: str, upto_ms: int = 0) -> None:
        """Tell of a customer next time, as of *upto_ms* or its own clock, the later of them."""
        self.untold[customer_id] = max(upto_ms, self.untold.get(customer_id, 0))

    def is_due(self, customer: Customer, upto_ms: int) -> bool:
        """Say whether a reading may be another at *upto_ms* than will be told."""
        return customer.ranks_due_ms <= upto_ms or customer.customer_id in self.untold

    def tell(
        self, customers: Mapping[str, Customer], newest: Plan, plan_of: Callable[[int], Plan]
    ) -> Ranks:
        """Return the readings that changed since they were last told.

        Sets the deadlines of those noted, all of whom are in *customers*. Whoever has not been
        brought to the *newest* plan yet is read under its own (*plan_of* its edition), in the
        rankings that both have.
        """
        kept = {ranking.name for ranking in newest.rankings}
        ranks: Ranks = {}
        for customer_id, upto_ms in self.untold.items():
            customer = customers[customer_id]
            told = customer.ranks
            plan = plan_of(customer.edition)
            _read(customer, max(upto_ms, customer.clock_ms), plan)
            for name, reading in customer.ranks.items():
                if name in kept and told.get(name, _NEVER_TOLD) != reading:
                    ranks.setdefault(name, {})[customer_id] = reading
            if customer.described != customer.attributes:
                for name in _left(customer, plan):
                    if name in kept:
                        ranks.setdefault(name, {})[customer_id] = None
                customer.described = customer.attributes.copy()
        self.untold = {}
        return ranks


def _read(customer: Customer, now_ms: int, plan: Plan) -> None:
    """Read the rankings of its segments at *now_ms*; its windows stay at its own instant."""
    reader = customer
    if any(series.next_roll_ms <= now_ms for series in customer.kinds.values()):
        reader = customer.clone()
        reader.roll(now_ms)
    found: dict[str, int | None] = {}
    soonest_ms = NEVER
    for ranking in plan.rankings:
        if not ranking.counts(plan.measures, customer, now_ms):
            continue
        if customer.withheld:
            found[ranking.name] = None
            continue
        found[ranking.name], due_ms = ranking.reading(plan.measures, reader, now_ms)
        soonest_ms = min(soonest_ms, due_ms)
    customer.ranks, customer.ranks_due_ms = found, soonest_ms


def _left(customer: Customer, plan: Plan) -> list[str]:
    """Return the rankings of the segments that a customer may have left: all but its own."""
    return [ranking.name for ranking in plan.rankings if ranking.name not in customer.ranks]
