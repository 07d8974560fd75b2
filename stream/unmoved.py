"""Whom a new policy leaves where they are, without need to look at them again. Pure.

A sweep need not bring these to the new edition: like those whom a moved boundary does not pass,
they are brought when something next happens to them, with the same result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.customer import restore
from stream.fold.horizon import Horizon
from stream.gradings.base import Reading
from stream.sentinels import NEVER
from stream.stability import NO_RULES

if TYPE_CHECKING:
    from stream.customer import Customer, Stored
    from stream.editions import Edition
    from stream.plan import Plan


class Unmoved:
    """Finds who stands under an edition just as under the one before it.

    Only where both keep the same of a customer, rank by the same readings, and let nothing but
    readings decide; else nobody is found to be unmoved.

    Args:
        before: The edition that everyone stands under, and its plan.
        edition: The newer one.
        plan: Of the newer one.
    """

    __slots__ = ("_horizon", "_instant_ms", "_number", "_plan", "_possible")

    def __init__(self, before: tuple[Edition, Plan], edition: Edition, plan: Plan) -> None:
        self._number = edition.number
        self._instant_ms = edition.instant_ms
        self._plan = plan
        self._horizon = Horizon(plan, 0)
        shadowed = before[0].shadow is not None or edition.shadow is not None
        self._possible = not shadowed and _alike(before[1], plan)

    def holds(self, customer_id: str, found: Stored) -> bool:
        """Say whether a customer, in its unpacked stored form, need not be visited.

        That is if no grade changes at the edition's instant, and none does by time alone before
        the deadline under which the store finds the customer already.
        """
        if not self._possible or found.edition >= self._number or found.identity is not None:
            return False
        customer = restore(customer_id, found, self._plan.shape)
        if not customer.clock_ms or customer.withheld or not _is_plain(customer):
            return False
        now_ms = max(self._instant_ms, customer.clock_ms)
        due_ms = customer.due_ms
        if due_ms <= now_ms:
            return False
        customer.roll(now_ms)
        values = self._plan.read(customer, now_ms)
        reading = Reading(now_ms, values, [grade.tier for grade in customer.grades])
        for position, standing in enumerate(customer.grades):
            if self._plan.earned(position, reading, standing) != standing.tier:
                return False
        self._horizon.settle(customer, now_ms, values)
        return customer.due_ms >= due_ms


def keeps_all(older: Plan, plan: Plan) -> bool:
    """Say whether *plan* keeps customers just as the plan before it did."""
    here, there = older.shape, plan.shape
    return (
        there.keeps_as(here)
        and there.names == here.names
        and there.initial == here.initial
        and plan.attributes == older.attributes
    )


def _alike(older: Plan, plan: Plan) -> bool:
    """Say whether nothing but the levels of gradings can make a difference to a customer."""
    return (
        keeps_all(older, plan)
        and older.document.measures == plan.document.measures
        and older.rankings == plan.rankings
        and not plan.shape.groups
        and older.forecasts is None
        and plan.forecasts is None
        and not older.expiring
        and not plan.expiring
        and all(rules is NO_RULES for rules in (*older.stability, *plan.stability))
    )


def _is_plain(customer: Customer) -> bool:
    """Say whether nothing but readings decides where a customer stands."""
    return (
        customer.look_ms == NEVER
        and customer.warned is None
        and all(grade.held is None for grade in customer.grades)
        and all(standing.tier is None for standing in customer.retired.values())
    )
