"""Which tiers a set of readings gives to someone who stands where they stand. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.gradings.base import Reading
from stream.stability import NO_RULES, ruling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.customer import Grade, Value
    from stream.plan import Plan


def regrade(
    plan: Plan, values: Sequence[Value], grades: Sequence[Grade], now_ms: int, mask: int
) -> list[str | None]:
    """Return every tier, those of the gradings in *mask* given anew, as they would stand at once.

    Args:
        plan: The policy.
        values: By position of the measure.
        grades: Where the customer stands; not touched.
        now_ms: The instant.
        mask: Bit mask of gradings; each with all it depends on, see `leaders`.
    """
    reading = Reading(now_ms, values, [grade.tier for grade in grades])
    for position in range(len(plan.gradings)):
        if mask >> position & 1:
            earned = plan.earned(position, reading, grades[position])
            reading.tiers[position] = _standing(plan, position, grades[position], earned, now_ms)
    return reading.tiers


def earned(
    plan: Plan, position: int, values: Sequence[Value], grades: Sequence[Grade], now_ms: int
) -> str | None:
    """Return what the grading at *position* would give, whether or not it would stand at once.

    What it depends on counts as it would stand.
    """
    others = leaders(plan, position) & ~(1 << position)
    tiers = regrade(plan, values, grades, now_ms, others)
    return plan.earned(position, Reading(now_ms, values, tiers), grades[position])


def _standing(plan: Plan, position: int, grade: Grade, tier: str | None, now_ms: int) -> str | None:
    rules = plan.stability[position]
    if grade.held is None and rules is NO_RULES:
        return tier
    return ruling(rules, plan.gradings[position], grade, tier, now_ms).tier


def leaders(plan: Plan, position: int) -> int:
    """Return the bit mask of a grading and all that it depends on, directly or not."""
    mask = 1 << position
    for other in plan.gradings[position].depends:
        mask |= leaders(plan, other)
    return mask


def deciding(plan: Plan, position: int) -> tuple[int, ...]:
    """Return the positions of the measures that may decide a grading, directly or not."""
    mask = leaders(plan, position)
    found: set[int] = set()
    for other, grading in enumerate(plan.gradings):
        if mask >> other & 1:
            found.update(plan.inputs[other], grading.words)
            evidence = plan.evidence[other]
            if evidence is not None:
                found.add(evidence[0])
    return tuple(sorted(found))


def cuts_of(
    plan: Plan, position: int, measure: int, values: Sequence[Value] | None = None
) -> tuple[int, ...]:
    """Return the ascending readings of a measure at which a grading may change, however.

    With *values*, all readings of a customer: only those that matter to it.
    """
    mask = leaders(plan, position)
    found: set[int] = set()
    for other, grading in enumerate(plan.gradings):
        if mask >> other & 1:
            cuts = grading.cuts if values is None else grading.cuts_for(values)
            found.update(cuts.get(measure, ()))
            evidence = plan.evidence[other]
            if evidence is not None and evidence[0] == measure:
                found.add(evidence[1])
    return tuple(sorted(found))


def betters(plan: Plan, position: int, before: str | None, after: str | None) -> bool:
    """Say whether *after* is better than *before*; where tiers have no order, another."""
    if before == after or after is None:
        return False
    if before is None:
        return True
    grading = plan.gradings[position]
    old, new = grading.rank(before), grading.rank(after)
    return old is None or new is None or new > old


def worsens(plan: Plan, position: int, before: str | None, after: str | None) -> bool:
    """Say whether *after* is worse than *before*; where tiers have no order, another."""
    return betters(plan, position, after, before)
