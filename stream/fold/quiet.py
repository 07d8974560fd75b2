"""The quiet road: orders that cannot move a grade are counted in passing, and nothing is judged.

This is what an order costs nearly always. Nothing may be added here for every event beyond a
comparison: a customer who needs attention is sent the slow way round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.customer import ORDERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.arrivals import Payment
    from stream.customer import Customer
    from stream.fold.horizon import Horizon
    from stream.plan import Plan


class QuietRoad:
    """Counts orders in passing, under one policy. Holds nothing but what follows from it."""

    __slots__ = ("_echoes", "_horizon", "_readers", "_steady")

    def __init__(self, plan: Plan, horizon: Horizon) -> None:
        """Count by *plan*, within what *horizon* has found out."""
        self._readers = plan.readers.get(ORDERS, ())
        self._echoes = plan.echoes
        self._horizon = horizon
        self._steady = all(
            watched.measure.steady for watched in plan.watched if watched.measure.source == ORDERS
        )

    def pay(  # noqa: PLR0911 - for every order: written out on purpose
        self, customer: Customer, payments: Sequence[Payment]
    ) -> bool:
        """Count all *payments* if no grade can move at any of them; else change nothing.

        The common case, at the cost of an addition and a few comparisons. No grade moves
        if no reading leaves the range in which all grades stay as they are. Several orders
        are counted in one step if every reading moves one way only with each of them, so
        that where it ends tells how far it went in between.
        """
        now_ms = payments[-1].record_ms
        orders = customer.orders
        if (
            not (customer.low or self._horizon.recall(customer))
            or customer.pending
            or not customer.clock_ms <= now_ms < customer.quiet_ms
            or (len(payments) > 1 and not (self._steady and _in_order(payments)))
        ):
            return False
        if orders.next_roll_ms <= now_ms:
            if len(payments) > 1:
                # Something leaves between them: they must not see it gone too early.
                return False
            if customer.clock_ms < now_ms:
                orders.roll(now_ms - 1)
            if orders.next_roll_ms <= now_ms:
                return False
        if not orders.add_recent([payment.entry for payment in payments], now_ms):
            return False
        low, high = customer.low, customer.high
        for index, read in self._readers:
            if not low[index] <= read(customer, now_ms) < high[index]:  # type: ignore[operator]
                orders.undo()
                return False
        if self._echoes and not self._echo(customer, orders.joined_ms, now_ms):
            orders.undo()
            return False
        customer.clock_ms = now_ms
        return True

    def _echo(self, customer: Customer, joined_ms: int, now_ms: int) -> bool:
        """See that the customer is looked at again when the day that orders joined moves on.

        Not when the orders do: they delay their day, and it is missing where it was
        foreseen to be. Returns False, having done nothing, if it may be time to warn already.
        """
        lead_ms, risky = self._horizon.lead_ms, self._horizon.risky
        echoed = [(index, joined_ms + echo_ms) for index, echo_ms in self._echoes]
        if lead_ms and any(i in risky and at_ms - lead_ms <= now_ms for i, at_ms in echoed):
            return False
        for index, echoed_ms in echoed:
            if echoed_ms < customer.dues[index]:
                customer.dues[index] = echoed_ms
                self._horizon.plan_ahead(customer)
                if lead_ms:
                    customer.look_ms = min(customer.look_ms, customer.risk_ms - lead_ms)
        return True


def _in_order(payments: Sequence[Payment]) -> bool:
    newest_ms = payments[-1].record_ms
    for payment in payments:  # noqa: SIM110 - a generator takes twice as long
        if payment.record_ms > newest_ms:
            return False
    return True
