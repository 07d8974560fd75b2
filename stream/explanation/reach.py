"""A measure, and the range around its reading inside which a grading does not care."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.customer import Value
    from stream.plan import Plan


@dataclass(frozen=True, slots=True)
class Reach:
    """A measure as one grading looks at it.

    Attributes:
        measure: Its name.
        unit: Of the reading and the range.
        value: The reading; None while unknown.
        low: Least reading of the range; None where it has no lower end.
        high: First reading above the range; None where it has no upper end.
    """

    measure: str
    unit: str
    value: Value | None
    low: int | None
    high: int | None


def reach(plan: Plan, position: int, values: Sequence[Value], cuts: Sequence[int]) -> Reach:
    """Return the reading at *position* within ascending *cuts*."""
    measure, value = plan.measures[position], values[position]
    low = high = None
    if isinstance(value, int) and value != MISSING and measure.unit != "stage":
        cell = bisect_right(cuts, value)
        low = cuts[cell - 1] if cell and cuts[cell - 1] > MISSING + 1 else None
        high = cuts[cell] if cell < len(cuts) else None
    return Reach(measure.name, measure.unit, measure.told(value), low, high)
