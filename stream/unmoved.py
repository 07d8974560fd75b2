"""Whom new editions leave where they are: to judge them would change nothing. Pure.

A sweep need not visit these. Like those whom a moved boundary does not pass, they are brought to
the newest edition when something next happens to them, with the same result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.customer import restore
from stream.fold.horizon import Horizon
from stream.regrade import regrade
from stream.sentinels import NEVER
from stream.stability import NO_RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.customer import Customer, Stored, Value
    from stream.editions import Edition
    from stream.plan import Plan


class _Step(NamedTuple):
    """One edition.

    Attributes:
        edition: What it is.
        plan: Its plan.
        horizon: Of its plan.
        alike: Whether nothing but levels tells it from the edition before it.
    """

    edition: Edition
    plan: Plan
    horizon: Horizon
    alike: bool

    def settle(self, customer: Customer, values: Sequence[Value]) -> None:
        """Work out how far readings may move, and until when, as judging would."""
        customer.forget_ranges()
        self.horizon.settle(customer, customer.clock_ms, values)


class Unmoved:
    """Takes customers through editions that leave them where they are, without judging them.

    Only through such as keep the same of a customer as the one before, rank by the same readings,
    and let nothing but readings decide.

    Args:
        editions: By ascending number, each with its plan: all that somebody may stand under.
    """

    __slots__ = ("_newest", "_shape", "_steps")

    def __init__(self, editions: Sequence[tuple[Edition, Plan]]) -> None:
        # Who was left alone when the oldest began stands under it as well, as it has turned out.
        before = [editions[0], *editions[:-1]]
        self._steps = [
            _Step(edition, plan, Horizon(plan, 0), _alike(older, (edition, plan)))
            for older, (edition, plan) in zip(before, editions, strict=True)
        ]
        newest, plan = editions[-1]
        self._newest, self._shape = newest.number, plan.shape

    def holds(self, customer_id: str, found: Stored) -> bool:
        """Say whether a customer, in its unpacked stored form, need not be visited.

        That is if no grade changes at any edition's instant, and none does by time alone before
        the deadline under which the store finds the customer already.
        """
        if not self._steps[-1].alike or found.shadow is not None:
            return False
        customer = restore(customer_id, found, self._shape)
        self.carry(customer)
        return customer.edition == self._newest and customer.due_ms >= found.due_ms

    def carry(self, customer: Customer) -> bool:
        """Bring *customer* through editions up to the first that moves it; return if through any.

        What follows from its readings is worked out under the last of them only, unless time may
        have moved a reading from the instant of one to that of the next.
        """
        if not customer.clock_ms or customer.withheld or not _is_plain(customer):
            return False
        carried, unsettled = False, None
        values: list[Value] = []
        for step in self._steps:
            if step.edition.number <= customer.edition:
                continue
            now_ms = max(step.edition.instant_ms, customer.clock_ms)
            if unsettled is not None and not _still(customer, values, step.plan, now_ms):
                unsettled.settle(customer, values)
                unsettled = None
            if not step.alike or (unsettled is None and customer.due_ms <= now_ms):
                break
            if unsettled is None:
                customer.roll(now_ms)
                values = step.plan.read(customer, now_ms)
            if _moves(customer, values, step.plan, now_ms):
                break
            customer.clock_ms, customer.edition = now_ms, step.edition.number
            carried, unsettled = True, step
        if unsettled is not None:
            unsettled.settle(customer, values)
        return carried


def _still(customer: Customer, values: list[Value], plan: Plan, now_ms: int) -> bool:
    """Say whether time has moved no reading from *values* up to *now_ms*."""
    if any(series.next_roll_ms <= now_ms for series in customer.kinds.values()):
        return False
    return plan.read(customer, now_ms) == values


def _moves(customer: Customer, values: list[Value], plan: Plan, now_ms: int) -> bool:
    """Say whether a customer with these readings earns another tier than it has."""
    tiers = regrade(plan, values, customer.grades, now_ms, plan.all_gradings)
    return tiers != [grade.tier for grade in customer.grades]


def keeps_all(older: Plan, plan: Plan) -> bool:
    """Say whether *plan* keeps customers just as the plan before it did."""
    here, there = older.shape, plan.shape
    return (
        there.keeps_as(here)
        and there.names == here.names
        and there.initial == here.initial
        and plan.attributes == older.attributes
    )


def _alike(before: tuple[Edition, Plan], after: tuple[Edition, Plan]) -> bool:
    """Say whether nothing but the levels of gradings can make a difference to a customer."""
    older, plan = before[1], after[1]
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
        and before[0].shadow is None
        and after[0].shadow is None
    )


def _is_plain(customer: Customer) -> bool:
    """Say whether nothing but readings decides where a customer stands."""
    return (
        customer.identity is None
        and customer.shadow is None
        and customer.look_ms == NEVER
        and customer.warned is None
        and all(grade.held is None for grade in customer.grades)
        and all(standing.tier is None for standing in customer.retired.values())
    )
