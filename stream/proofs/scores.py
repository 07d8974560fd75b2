"""Every score that a scorecard can come to, by dynamic programming over the points of measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.gradings.scorecard import round_units
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.gradings.scorecard import Item, Scorecard

CONTINUOUS_CUTS = (0, 1, 20, 40, 50, 60, 70, 80, 90, 100)
"""Where a measure of which every change may matter is looked at."""

_MOST_SUMS = 200_000
_TOP = 100


def points_by_cut(card: Scorecard) -> Mapping[int, list[tuple[int, int]]]:
    """Return, per measure, ``(first reading, points in units of 1 / denominator)`` of each range.

    All items that look at one measure are added up; the first reading of the lowest range is
    `MISSING`. A measure that is itself the points has a range for each of 0 to 100.
    """
    by_measure: dict[int, list[tuple[Item, tuple[int, ...]]]] = {}
    for item, steps in zip(card.items, card.steps, strict=True):
        by_measure.setdefault(item.measure, []).append((item, steps))
    return {measure: _added(parts) for measure, parts in by_measure.items()}


def _added(parts: list[tuple[Item, tuple[int, ...]]]) -> list[tuple[int, int]]:
    starts = {MISSING}
    for item, _ in parts:
        starts.update(range(1, _TOP + 1) if item.direct else item.cuts)
    return [
        (start, sum(_earned(item, steps, start) for item, steps in parts))
        for start in sorted(starts)
    ]


def _earned(item: Item, steps: tuple[int, ...], value: int) -> int:
    if item.direct:
        return steps[0] * min(max(value, 0), _TOP)
    return steps[sum(cut <= value for cut in item.cuts)]


def score_levels(card: Scorecard) -> list[int] | None:
    """Return every rounded score, ascending, in units of the last place; None if too many.

    The measures are taken as free of each other, so some of these may not occur; a score that
    is not among them never does.
    """
    sums = {0}
    for ranges in points_by_cut(card).values():
        points = {earned for _, earned in ranges}
        sums = {total + earned for total in sums for earned in points}
        if len(sums) > _MOST_SUMS:
            return None
    unit = 10**card.places
    return sorted({round_units(total * unit, card.denominator, card.mode) for total in sums})
