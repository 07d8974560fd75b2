"""Revenue of a customer over the last days of a simulation, whatever the policy measures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from stream.calendar import DAY_MS
from stream.customer import ORDERS
from stream.measures import OrderRevenue
from stream.window import Span

if TYPE_CHECKING:
    from stream.measures import Measure
    from stream.plan import Plan


class Observed(NamedTuple):
    """A plan whose customers also keep what *revenue* reads. It grades as before."""

    plan: Plan
    revenue: Measure


def observing_revenue(plan: Plan, days: int) -> Observed:
    """Return *plan* with a window of orders over the last *days*, which no grading looks at."""
    span = Span(0, days * DAY_MS)
    spans = {kind: list(listed) for kind, listed in plan.shape.spans.items()}
    orders = spans[ORDERS]
    if span not in orders:
        orders.append(span)
    revenue = OrderRevenue("revenue", "money", ORDERS, orders.index(span), "revenue", span)
    return Observed(replace(plan, shape=replace(plan.shape, spans=spans)), revenue)
