"""Measures of how a customer behaves: what is open, what is overdue, coming back, staying away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.calendar import DAY_MS
from stream.customer import ORDERS
from stream.measures import BASIS_POINTS, Measure, OfWindows
from stream.money import divide_half_even
from stream.sentinels import MISSING, NEVER
from stream.window import COUNT, LAST_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.customer import Customer
    from stream.series import Series
    from stream.window import Span, Window

OVERDUE = "payment.overdue"
RECEIVED = "payment.received"
RESOLVED_BY = {"complaint": "complaint.resolved", "service.requested": "service.resolved"}


class OpenMatters(Measure):
    """Complaints (or service requests) raised less those resolved, never below 0.

    Of the whole life and whatever the order of arrival: one that was resolved before it was
    heard of is not open. Time alone never moves it.
    """

    def __init__(self, name: str, raised: str) -> None:
        """Count events of the kind *raised* less those of the kind that resolves them."""
        super().__init__(name, "count", raised)
        self._raised = raised
        self._resolved = RESOLVED_BY[raised]
        self.also = (self._resolved,)

    def value(self, customer: Customer, now_ms: int) -> int:
        """Return how many are open."""
        del now_ms
        kinds = customer.kinds
        return max(0, kinds[self._raised].totals.count - kinds[self._resolved].totals.count)


class DaysOverdue(Measure):
    """How late the customer is with a payment right now, in whole days.

    The newest ``payment.overdue`` says how late it was then; every 24 hours since add a day.
    A ``payment.received`` at that instant or later settles it: 0 until the next one.
    """

    def __init__(self, name: str) -> None:
        """Read both kinds of payment events."""
        super().__init__(name, "days", OVERDUE)
        self.also = (RECEIVED,)

    def value(self, customer: Customer, now_ms: int) -> int:
        """Return the days overdue; 0 where nothing is."""
        since_ms = self._since_ms(customer)
        if since_ms == MISSING:
            return 0
        return customer.kinds[OVERDUE].latest() + max(0, now_ms - since_ms) // DAY_MS

    def due_ms(self, customer: Customer, now_ms: int, low: int, high: int) -> int:
        """Return the exact instant at which the payment is *high* days late."""
        del now_ms, low
        since_ms = self._since_ms(customer)
        if since_ms == MISSING or high >= NEVER:
            return NEVER
        return since_ms + (high - customer.kinds[OVERDUE].latest()) * DAY_MS

    def _since_ms(self, customer: Customer) -> int:
        """Return when the open payment was last told of, or `MISSING` where none is open."""
        told_ms = customer.kinds[OVERDUE].last_ms()
        return MISSING if customer.kinds[RECEIVED].last_ms() >= told_ms else told_ms


class RepurchaseRate(OfWindows):
    """Share of the surviving orders of a window that followed an earlier surviving order."""

    def __init__(self, name: str, window: int | None, span: Span | None) -> None:
        """Read the window with index *window*; None means the whole life."""
        super().__init__(name, "bp", ORDERS, () if window is None else (window,), span)
        self.steady = True

    def value(self, customer: Customer, now_ms: int) -> int:
        """Return the share rounded half to even, or `MISSING` without an order."""
        del now_ms
        ever = customer.orders.totals.count
        orders = customer.orders.windows[self._windows[0]].count if self._windows else ever
        if orders <= 0:
            return MISSING
        repeated = orders if orders < ever else orders - 1
        return divide_half_even(repeated * BASIS_POINTS, orders)


class LongestGap(OfWindows):
    """The longest silence, in whole days, that a day with orders in the window has ended.

    A silence lasts from the last order of a day to the last order of the next day that has
    any; cancelled orders do not count. Days older than every window are not looked at, but
    the newest of them is remembered, so a silence of any length is measured exactly.
    """

    def __init__(self, name: str, window: int, span: Span) -> None:
        """Read the window with index *window*, which ends now."""
        super().__init__(name, "days", ORDERS, (window,), span)
        self.steady = True

    def value(self, customer: Customer, now_ms: int) -> int:
        """Return the days, or `MISSING` where no order of the window followed another."""
        del now_ms
        orders = customer.orders
        before_ms = MISSING
        longest_ms = MISSING
        window = orders.windows[self._windows[0]]
        if window.start < window.end:
            before_ms = _last_before(orders, window)
        for at_ms in _days_of(orders, window.start, window.end):
            if before_ms != MISSING:
                longest_ms = max(longest_ms, at_ms - before_ms)
            before_ms = at_ms
        return MISSING if longest_ms == MISSING else longest_ms // DAY_MS


def _last_before(orders: Series, window: Window) -> int:
    """Return the instant of the newest surviving order older than *window*, or `MISSING`."""
    kept = max(_days_of(orders, 0, window.start), default=MISSING)
    return max(kept, orders.totals.dropped_ms)


def _days_of(series: Series, start: int, end: int) -> Iterator[int]:
    """Yield the last instant of each day bucket from *start* up to *end* that has survivors."""
    for row in series.between(start, end):
        if row[COUNT] > 0:
            yield row[LAST_MS]
