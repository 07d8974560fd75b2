"""Scorecards: weighted indicators on a scale of 100 points."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, Tag

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit
from schemas.policy.gradings.tiers import Tiered, ladder_mistakes
from schemas.policy.part import TAG_MARK, Items, Part, by_key
from schemas.policy.quantities import Level, Name, Points, Weight

if TYPE_CHECKING:
    from decimal import Decimal

_FULL = 100


class Rounding(Part):
    """How a score is rounded before it is compared with the tiers.

    Attributes:
        mode: truncate drops digits, half_up and half_even round to the nearest.
        places: Digits after the decimal point, 0 to 6.
    """

    mode: Literal["truncate", "half_up", "half_even"] = Field(
        description="truncate, half_up or half_even"
    )
    places: int = Field(ge=0, le=6, description="a whole number from 0 to 6")


class Range(Part):
    """Points for values from the range before (or minus infinity) up to, not including, below.

    Attributes:
        below: Exclusive upper end; None only for the last range, which is open.
        points: Exact points; None for full points.
    """

    below: Level | None = None
    points: Points = Field(description="points such as 20 or full")


class IntervalIndicator(Part):
    """An indicator whose 100 points are split evenly over its measures."""

    weight: Weight = Field(description='a percent such as "40%"')
    measures: dict[Name, Items[Range]] = Field(
        min_length=1, description="a mapping of measure names to lists of ranges"
    )


class IntervalScorecard(Tiered):
    """Weighted sum of indicators, each the sum of the points of its measures."""

    type: Literal["interval_scorecard"]
    rounding: Rounding = Field(description="a mapping with mode and places")
    indicators: dict[Name, IntervalIndicator] = Field(
        min_length=1, description="a mapping of indicators"
    )

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with weights, ranges and levels."""
        yield from weight_mistakes((*at, "indicators"), self.indicators)
        for name, indicator in self.indicators.items():
            for measure, ranges in indicator.measures.items():
                place = (*at, "indicators", name, "measures", measure)
                yield from fit.numeric(place, measure, at_key=True)
                for position, part in enumerate(ranges):
                    if part.below is not None:
                        yield from fit.fits((*place, position, "below"), measure, part.below)
                yield from range_mistakes(place, ranges, parts=len(indicator.measures))
        yield from ladder_mistakes((*at, "tiers"), self.tiers, points=True)


class RangeTable(Part):
    """Points from 0 to 100 by the range that a measure falls into."""

    measure: Name = Field(description="the name of a measure")
    ranges: Items[Range] = Field(description="a list of ranges")


class DirectIndicator(Part):
    """An indicator that takes the value of a measure, held to 0..100, as its points."""

    weight: Weight = Field(description='a percent such as "40%"')
    points_from: Name = Field(description="the name of a measure")


class RangedIndicator(Part):
    """An indicator that looks its points up in ranges."""

    weight: Weight = Field(description='a percent such as "40%"')
    ranges: RangeTable = Field(description="a mapping with measure and ranges")


WeightedIndicator = Annotated[
    Annotated[DirectIndicator, Tag(TAG_MARK + "points_from")]
    | Annotated[RangedIndicator, Tag(TAG_MARK + "ranges")],
    by_key(
        ("points_from", "ranges"), "a mapping with weight and exactly one of points_from, ranges"
    ),
]


class WeightedScorecard(Tiered):
    """Weighted sum of indicators, each on a scale of 100 points."""

    type: Literal["weighted_scorecard"]
    rounding: Rounding = Field(description="a mapping with mode and places")
    indicators: dict[Name, WeightedIndicator] = Field(
        min_length=1, description="a mapping of indicators"
    )

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with weights, ranges and levels."""
        yield from weight_mistakes((*at, "indicators"), self.indicators)
        for name, indicator in self.indicators.items():
            place: Location = (*at, "indicators", name)
            if isinstance(indicator, DirectIndicator):
                yield from fit.numeric(
                    (*place, "points_from"), indicator.points_from, ("number", "count")
                )
                continue
            table = indicator.ranges
            place = (*place, "ranges")
            yield from fit.numeric((*place, "measure"), table.measure)
            place = (*place, "ranges")
            for position, part in enumerate(table.ranges):
                if part.below is not None:
                    yield from fit.fits((*place, position, "below"), table.measure, part.below)
            yield from range_mistakes(place, table.ranges, parts=1)
        yield from ladder_mistakes((*at, "tiers"), self.tiers, points=True)


def range_mistakes(at: Location, ranges: Sequence[Range], *, parts: int) -> Iterator[Mistake]:
    """Yield what is wrong with ranges whose full points are 100 / *parts*."""
    full = Fraction(_FULL, parts)
    before: Decimal | None = None
    for position, part in enumerate(ranges):
        last = position + 1 == len(ranges)
        if last and part.below is not None:
            allowed = "nothing: the last range is open upwards"
            yield Mistake((*at, position, "below"), shown(f"{part.below:f}"), allowed)
        if not last and part.below is None:
            allowed = "a number; only the last range has no below"
            yield Mistake((*at, position, "below"), None, allowed)
        if part.below is not None and before is not None and part.below <= before:
            allowed = f"a number above the range before it, {before:f} (ascending)"
            yield Mistake((*at, position, "below"), shown(f"{part.below:f}"), allowed)
        before = part.below if part.below is not None else before
        if part.points is not None and part.points > full:
            yield Mistake(
                (*at, position, "points"),
                shown(str(part.points)),
                f"at most {full}, as the indicator's 100 points are split over {parts} measures",
            )


def weight_mistakes(
    at: Location, indicators: Mapping[str, IntervalIndicator | WeightedIndicator]
) -> Iterator[Mistake]:
    """Yield a mistake unless the weights add up to the whole."""
    total = sum((indicator.weight for indicator in indicators.values()), Fraction(0))
    if total != 1:
        percent = f"{float(total * 100):.9g}%"
        yield Mistake(at, f"a total weight of {percent}", "weights that add up to 100%")
