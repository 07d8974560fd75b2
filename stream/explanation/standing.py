"""Where a customer stands on a ladder of tiers, and how far the next rungs are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream.gradings.base import Grading, Reading
    from stream.plan import Plan

POINTS = "points"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a customer stands on a ladder of tiers.

    Attributes:
        unit: Of the levels: of a measure, or ``points``.
        places: Decimal places of the levels that are points; 0 for others.
        level: What the tier is judged by now.
        rungs: Every tier with the least level that earns it and the least that keeps it,
            best first; None and None for the floor.
        better: Next better tier and the level that earns it; None at the top.
        missing: What is missing to it.
        exit: Least level that keeps the tier; None on the floor.
        margin: How much the level may fall and still keep it.
    """

    unit: str
    places: int
    level: int
    rungs: tuple[tuple[str, int | None, int | None], ...]
    better: tuple[str, int] | None
    missing: int | None
    exit: int | None
    margin: int | None


def standing_of(
    plan: Plan, grading: Grading, reading: Reading, tier: str | None
) -> Standing | None:
    """Return where *tier* stands; None for a grading without a ladder, or not graded."""
    names = grading.ladder.tiers
    if tier not in names:
        return None
    level = grading.level(reading)
    if level is None:
        return None
    rungs = grading.ladder.rungs
    index = names.index(tier)
    above = rungs[index - 1] if index else None
    enter = None if above is None else above.enter
    leave = rungs[index].exit
    return Standing(
        unit=POINTS if level.measure is None else plan.measures[level.measure].unit,
        places=level.places,
        level=level.value,
        rungs=tuple((rung.tier, rung.enter, rung.exit) for rung in rungs),
        better=None if above is None or enter is None else (above.tier, enter),
        missing=None if enter is None else enter - level.value,
        exit=leave,
        margin=None if leave is None else level.value - leave,
    )
