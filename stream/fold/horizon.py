"""How far each reading may move, and until when, with every grade as it is.

Kept with the customer (`Customer.low`, ``high``, ``dues`` and what follows from them), so that
what an event or time cannot have moved is not judged again.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from stream.sentinels import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.customer import Customer, Grade, Value
    from stream.gradings.base import Grading
    from stream.plan import Plan, Watched

_LOWEST = -NEVER - 1


class Horizon:
    """Keeps the ranges and deadlines of one customer at a time, under one policy.

    Attributes:
        lead_ms: How long before a fall it is warned of; 0 where the policy does not ask for it.
        risky: Of the watched measures, those that a fall that is warned of depends on.
    """

    __slots__ = ("_plan", "lead_ms", "risky")

    def __init__(self, plan: Plan, lead_ms: int) -> None:
        """Look as far as *plan* and the lead of its warnings say."""
        self._plan = plan
        self.lead_ms = lead_ms
        self.risky = tuple(
            i for i, watched in enumerate(plan.watched) if watched.gradings & plan.at_risk
        )

    def moved(self, customer: Customer, now_ms: int, source: str | None) -> int:
        """Return the gradings that an event of *source*, or time, may have moved, as a mask.

        A reading that an event has moved within its range gets a new deadline.
        """
        plan = self._plan
        mask = 0
        dues, low, high = customer.dues, customer.low, customer.high
        for index, watched in enumerate(plan.watched):
            measure = watched.measure
            if measure.source == source or dues[index] <= now_ms:
                value = measure.value(customer, now_ms)
                if low[index] <= value < high[index]:  # type: ignore[operator]
                    dues[index] = measure.due_ms(customer, now_ms, low[index], high[index])
                else:
                    mask |= watched.gradings
        for position in plan.expiring:
            if _runs_out_ms(plan.gradings[position], customer.grades[position]) <= now_ms:
                mask |= 1 << position | plan.followers[position]
        for position, grade in enumerate(customer.grades):
            if grade.held is not None and grade.held.due_ms <= now_ms:
                mask |= 1 << position | plan.followers[position]
        return mask

    def recall(self, customer: Customer) -> bool:
        """Find the ranges of a customer that comes from the store, with no grade judged anew.

        As it was judged last, so it stands; and what was stored as the earliest instant at which
        time alone may change that holds for each of its readings. Returns whether that could be
        done: not of someone to whom nothing has happened, nor where more than readings decide.
        """
        if not self._plan.watched or not customer.clock_ms:
            return False
        if customer.identity is not None or customer.withheld:
            return False
        values = self._plan.read(customer, customer.clock_ms)
        ranges = [self._range(watched, values) for watched in self._plan.watched]
        customer.low = [least for least, _ in ranges]
        customer.high = [limit for _, limit in ranges]
        customer.dues = [customer.due_ms] * len(ranges)
        self.plan_ahead(customer)
        return True

    def settle(self, customer: Customer, now_ms: int, values: Sequence[Value]) -> None:
        """Work out how far each reading may move, and until when, with every grade unmoved.

        A reading that is still in its range keeps the instant that was found for it: `moved`
        has looked for a new one where an event may have moved it.
        """
        if customer.withheld:
            customer.due_ms = customer.risk_ms = customer.quiet_ms = NEVER
            return
        low, high, dues = customer.low, customer.high, customer.dues
        if not low:
            empty = len(self._plan.watched)
            low, high, dues = [NEVER] * empty, [_LOWEST] * empty, [_LOWEST] * empty
            customer.low, customer.high, customer.dues = low, high, dues
        for index, watched in enumerate(self._plan.watched):
            value: int = values[watched.position]  # type: ignore[assignment]
            if low[index] <= value < high[index] and dues[index] > now_ms:
                continue
            least, limit = low[index], high[index] = self._range(watched, values)
            dues[index] = watched.measure.due_ms(customer, now_ms, least, limit)
        self.plan_ahead(customer)

    def _range(self, watched: Watched, values: Sequence[Value]) -> tuple[int, int]:
        """Return the least value of a reading that keeps every grade, and the first above those."""
        value: int = values[watched.position]  # type: ignore[assignment]
        if watched.cuts is None:
            return value, value + 1
        least, limit = _between(watched.common, value)
        for grading in watched.varying:
            own = grading.cuts_for(values).get(watched.position, ())
            near, far = _between(own, value)
            least, limit = max(least, near), min(limit, far)
        return least, limit

    def plan_ahead(self, customer: Customer) -> None:
        """Set how long nothing can happen by time alone, from what is known of each reading."""
        plan, dues, grades = self._plan, customer.dues, customer.grades
        due_ms = min(dues, default=NEVER)
        risk_ms = min((dues[index] for index in self.risky), default=NEVER)
        for position in plan.expiring:
            runs_out_ms = _runs_out_ms(plan.gradings[position], grades[position])
            due_ms = min(due_ms, runs_out_ms)
            if plan.followers[position] & plan.at_risk:
                risk_ms = min(risk_ms, runs_out_ms)
        for position, grade in enumerate(grades):
            if grade.held is not None:
                due_ms = min(due_ms, grade.held.due_ms)
                if plan.followers[position] & plan.at_risk:
                    risk_ms = min(risk_ms, grade.held.due_ms)
        customer.due_ms = due_ms
        customer.risk_ms = risk_ms
        customer.quiet_ms = min(due_ms, risk_ms - self.lead_ms)


def _between(cuts: Sequence[int], value: int) -> tuple[int, int]:
    """Return the cut at or below a reading and the one above it."""
    cell = bisect_right(cuts, value)
    least = cuts[cell - 1] if cell else _LOWEST
    return least, cuts[cell] if cell < len(cuts) else NEVER


def _runs_out_ms(grading: Grading, standing: Grade) -> int:
    """Return when a standing runs out by itself: not while it is pinned."""
    pinned = standing.held is not None and standing.held.pin is not None
    return NEVER if pinned else grading.due_ms(standing)
