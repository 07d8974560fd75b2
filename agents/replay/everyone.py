"""Everyone's ranked readings at the end of an offline replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.customer import decode
from stream.population.ordered import Ordered

if TYPE_CHECKING:
    from agents.replay.offline import OfflineResult
    from stream.explanation.place import Order
    from stream.population.rankings import Ranking


def order_in(result: OfflineResult) -> Order:
    """Return what gives the readings of a ranking, as of the end of the replay."""
    plan, now_ms = result.plan, result.as_of_ms
    customers = [
        decode(customer_id, state, plan.shape) for customer_id, state in result.states.items()
    ]
    counted = [customer for customer in customers if not customer.withheld]
    for customer in counted:
        customer.roll(now_ms)

    def order(ranking: Ranking) -> Ordered:
        readings = (
            ranking.reading(plan.measures, customer, now_ms)[0]
            for customer in counted
            if ranking.counts(plan.measures, customer, now_ms)
        )
        return Ordered.of(reading for reading in readings if reading is not None)

    return order
