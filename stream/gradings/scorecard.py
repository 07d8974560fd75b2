"""Scores: weighted indicators on a scale of 100 points, exact, rounded once at the end."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm
from typing import TYPE_CHECKING

from stream.gradings.base import Grading, Part, Reading, Scope, Score
from stream.gradings.ladder import NO_LADDER, Ladder, ladder
from stream.money import divide_half_even

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.policy.gradings.scorecards import Range, Rounding
    from schemas.policy.gradings.tiers import Tier
    from stream.customer import Grade, Value

FULL = Fraction(100)


def round_units(numerator: int, denominator: int, mode: str) -> int:
    """Return *numerator* over a positive *denominator* as an integer, rounded by *mode*.

    ``truncate`` drops what is left, ``half_up`` sends halves away from the lower
    neighbour, ``half_even`` to the even one.

    >>> [round_units(23600, 3, mode) for mode in ("truncate", "half_up", "half_even")]
    [7866, 7867, 7867]
    >>> [round_units(5, 2, mode) for mode in ("truncate", "half_up", "half_even")]
    [2, 3, 2]
    """
    if mode == "truncate":
        return numerator // denominator if numerator >= 0 else -(-numerator // denominator)
    if mode == "half_up":
        return (2 * numerator + denominator) // (2 * denominator)
    return divide_half_even(numerator, denominator)


@dataclass(frozen=True, slots=True)
class Item:
    """What earns points: one measure within one indicator.

    Attributes:
        indicator: Name of the indicator.
        weight: Share of the indicator in the score.
        measure: Position of the measure.
        cuts: Ascending lower ends of the ranges after the first; unused when *direct*.
        points: Points per range, one more than cuts; unused when *direct*.
        direct: The measure itself, held to 0..100, is the points.
    """

    indicator: str
    weight: Fraction
    measure: int
    cuts: tuple[int, ...] = ()
    points: tuple[Fraction, ...] = ()
    direct: bool = False

    def earned(self, value: Value) -> Fraction:
        """Return the points for a reading; one that is missing earns those of the lowest range."""
        if not isinstance(value, int):
            return Fraction(0)
        if self.direct:
            return Fraction(min(max(value, 0), 100))
        return self.points[bisect_right(self.cuts, value)]


def _steps(item: Item, denominator: int) -> tuple[int, ...]:
    """Return what each range (or, if direct, one point) contributes, times *denominator*."""
    points = (Fraction(1),) if item.direct else item.points
    return tuple(int(item.weight * value * denominator) for value in points)


@dataclass(slots=True)
class Scorecard(Grading):
    """Sum of the items' points times weights, and a ladder over the rounded sum.

    Attributes:
        items: What earns points.
        steps: Per item, the contribution of each range in units of ``1 / denominator``:
            the same sum as `score`, in integers, since it is taken for every event.
        denominator: Common denominator of all contributions.
        places: Decimal places that are kept.
    """

    items: tuple[Item, ...] = ()
    steps: tuple[tuple[int, ...], ...] = ()
    denominator: int = 1
    mode: str = "half_even"
    places: int = 2
    ladder: Ladder = NO_LADDER

    def score(self, reading: Reading) -> Score:
        """Return the score; its parts and the rounding add up to it exactly."""
        parts = tuple(
            Part(item.indicator, item.measure, value, item.earned(value), item.weight)
            for item in self.items
            for value in [reading.values[item.measure]]
        )
        exact = sum((part.contribution for part in parts), Fraction(0))
        unit = 10**self.places
        units = round_units(exact.numerator * unit, exact.denominator, self.mode)
        rounded = Fraction(units, unit)
        return Score(rounded, parts, rounded - exact)

    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return the tier that the rounded score earns from where the customer stands."""
        values = reading.values
        total = 0
        for item, steps in zip(self.items, self.steps, strict=True):
            value = values[item.measure]
            if item.direct:
                total += steps[0] * min(max(value, 0), 100)  # type: ignore[operator]
            else:
                total += steps[bisect_right(item.cuts, value)]
        level = round_units(total * 10**self.places, self.denominator, self.mode)
        return self.ladder.tier(level, standing.tier)


def build_scorecard(
    name: str, items: Sequence[Item], rounding: Rounding, tiers: Sequence[Tier]
) -> Scorecard:
    """Return a scorecard; tier levels are compared with the rounded score."""
    unit = 10**rounding.places
    rungs = ladder(
        (
            tier.tier,
            None if tier.enter is None else ceil(tier.enter * unit),
            None if tier.exit is None else ceil(tier.exit * unit),
        )
        for tier in tiers
    )
    cuts: dict[int, set[int]] = {}
    for item in items:
        if not item.direct:
            cuts.setdefault(item.measure, set()).update(item.cuts)
    denominator = lcm(
        *(
            (item.weight * points).denominator
            for item in items
            for points in (item.points or (Fraction(1),))
        )
    )
    return Scorecard(
        name,
        rungs.tiers,
        cuts={measure: tuple(sorted(levels)) for measure, levels in cuts.items()},
        continuous=frozenset(item.measure for item in items if item.direct),
        items=tuple(items),
        steps=tuple(_steps(item, denominator) for item in items),
        denominator=denominator,
        mode=rounding.mode,
        places=rounding.places,
        ladder=rungs,
    )


def range_table(
    measure: str, ranges: Sequence[Range], full: Fraction, scope: Scope
) -> tuple[tuple[int, ...], tuple[Fraction, ...]]:
    """Return ``(cuts, points)`` of a table of ranges; *full* is what ``full`` stands for."""
    cuts = tuple(scope.level(measure, row.below) for row in ranges if row.below is not None)
    points = tuple(full if row.points is None else row.points for row in ranges)
    return cuts, points
