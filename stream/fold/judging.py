"""Judging: what a customer's readings earn at an instant, what stands, and what that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.changes import Change, direction
from stream.gradings.base import Reading
from stream.reasons import reasons_for
from stream.stability import NO_RULES, changed, steady, withhold
from stream.way_back import WaysBack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.changes import Cause, Reason
    from stream.customer import Customer, Value
    from stream.fold.horizon import Horizon
    from stream.gradings.base import Score
    from stream.plan import Plan


class Judge:
    """Grades by one policy, and says why: with reasons, scores and ways back."""

    __slots__ = ("_horizon", "_plan", "_ways_back")

    def __init__(self, plan: Plan, horizon: Horizon) -> None:
        """Judge by *plan*; *horizon* is told where every reading stands afterwards."""
        self._plan = plan
        self._horizon = horizon
        self._ways_back = WaysBack(plan)

    def before(self, customer: Customer, now_ms: int) -> Sequence[Value]:
        """Return the readings of the instant before *now_ms*, which reasons compare with."""
        if customer.clock_ms < now_ms:
            now_ms -= 1
        customer.roll(now_ms)
        return self._plan.read(customer, now_ms)

    def grade(
        self,
        customer: Customer,
        now_ms: int,
        before: Sequence[Value],
        cause: Cause,
        mask: int,
    ) -> Sequence[Change]:
        """Grade anew by the gradings in *mask*; the others are known to stand."""
        plan = self._plan
        grades = customer.grades
        customer.packed_grades = None
        values = plan.read(customer, now_ms)
        old = [grade.tier for grade in grades]
        reading = Reading(now_ms, values, old.copy())
        changes: list[Change] = []
        for position, grading in enumerate(plan.gradings):
            if not mask >> position & 1:
                continue
            standing, rules = grades[position], plan.stability[position]
            held = standing.held
            pin, wait = (None, None) if held is None else (held.pin, held.waiting)
            if customer.withheld:
                withhold(customer, grading, standing, now_ms)
                tier = pin = wait = None
            else:
                tier = plan.earned(position, reading, standing)
                if tier is not None and grading.expires:
                    standing.kept_until_ms = grading.kept_until_ms(reading, standing)
                if held is not None or rules is not NO_RULES:
                    tier = steady(customer, grading, rules, standing, tier, now_ms)
            if tier == standing.tier:
                continue
            reading.tiers[position] = tier
            standing.sequence += 1
            way = direction(grading, standing.tier, tier)
            changes.append(
                Change(
                    customer_id=customer.customer_id,
                    grading=grading.name,
                    before=standing.tier,
                    after=tier,
                    direction=way,
                    sequence=standing.sequence,
                    instant_ms=now_ms,
                    cause=cause,
                    reasons=self._reasons(position, before, old, reading),
                    score=self._score(position, reading),
                    pin=pin,
                    waited=wait if wait and wait.direction == way and not pin else None,
                    erased_ms=customer.erased_ms,
                )
            )
            standing.tier = tier
            standing.since_ms = now_ms
            if rules is not NO_RULES and not customer.withheld:
                earned = plan.earned(position, reading, standing)
                changed(customer, grading, rules, standing, earned, way)
        self._horizon.settle(customer, now_ms, values)
        return self._led_back(customer, changes) if changes else changes

    def _led_back(self, customer: Customer, changes: list[Change]) -> Sequence[Change]:
        return self._ways_back.added(customer, changes)

    def _reasons(
        self,
        position: int,
        before: Sequence[Value],
        old: Sequence[str | None],
        reading: Reading,
    ) -> tuple[Reason, ...]:
        return reasons_for(self._plan, position, before, old, reading)

    def _score(self, position: int, reading: Reading) -> Score | None:
        return self._plan.gradings[position].score(reading)


class TerseJudge(Judge):
    """Finds the same changes and gives no reasons, no scores and no ways back."""

    __slots__ = ()

    def before(self, customer: Customer, now_ms: int) -> Sequence[Value]:
        """Return nothing: there is nothing to compare with."""
        del customer, now_ms
        return ()

    def _led_back(self, customer: Customer, changes: list[Change]) -> Sequence[Change]:
        del customer
        return changes

    def _reasons(
        self,
        position: int,
        before: Sequence[Value],
        old: Sequence[str | None],
        reading: Reading,
    ) -> tuple[Reason, ...]:
        del position, before, old, reading
        return ()

    def _score(self, position: int, reading: Reading) -> Score | None:
        del position, reading
        return None
