"""Scorecards: weighted indicators on a scale of 100 points."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, Protocol

from pydantic import Field, Tag

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit, one_of
from schemas.policy.gradings.tiers import Tiered, ladder_mistakes
from schemas.policy.labels import Label
from schemas.policy.part import TAG_MARK, Items, Part, by_key
from schemas.policy.quantities import Level, Name, Points, Weight

_FULL = 100

Value = Annotated[str, Field(min_length=1, max_length=80)]
"""A text that a measure may read, such as an industry."""


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
    label: Label | None = None
    measures: dict[Name, Items[Range]] = Field(
        min_length=1, description="a mapping of measure names to lists of ranges"
    )

    def mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with its ranges."""
        for measure, ranges in self.measures.items():
            place = (*at, "measures", measure)
            yield from fit.numeric(place, measure, at_key=True)
            yield from below_mistakes(place, measure, ranges, fit)
            yield from range_mistakes(place, ranges, parts=len(self.measures))


class IntervalVariants(Part):
    """Other indicators for some customers, told apart by a measure of text (see `variants`).

    Attributes:
        by: The measure; a value without a table, or an unknown one, takes the indicators above.
        tables: Per value, the indicators that differ, each written out whole.
    """

    by: Name = Field(description="the name of a measure of text")
    tables: dict[Value, Annotated[dict[Name, IntervalIndicator], Field(min_length=1)]] = Field(
        min_length=1, description="a mapping of values to the indicators that differ"
    )


class IntervalScorecard(Tiered):
    """Weighted sum of indicators, each the sum of the points of its measures."""

    type: Literal["interval_scorecard"]
    rounding: Rounding = Field(description="a mapping with mode and places")
    indicators: dict[Name, IntervalIndicator] = Field(
        min_length=1, description="a mapping of indicators"
    )
    variants: IntervalVariants | None = None

    @property
    def indicator_names(self) -> tuple[str, ...]:
        """The names of its indicators."""
        return tuple(self.indicators)

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with weights, ranges, variants and levels."""
        yield from _card_mistakes(at, self, fit)


class RangeTable(Part):
    """Points from 0 to 100 by the range that a measure falls into."""

    measure: Name = Field(description="the name of a measure")
    ranges: Items[Range] = Field(description="a list of ranges")


class DirectIndicator(Part):
    """An indicator that takes the value of a measure, held to 0..100, as its points."""

    weight: Weight = Field(description='a percent such as "40%"')
    label: Label | None = None
    points_from: Name = Field(description="the name of a measure")

    def mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the measure."""
        yield from fit.numeric((*at, "points_from"), self.points_from, ("number", "count"))


class RangedIndicator(Part):
    """An indicator that looks its points up in ranges."""

    weight: Weight = Field(description='a percent such as "40%"')
    label: Label | None = None
    ranges: RangeTable = Field(description="a mapping with measure and ranges")

    def mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the measure and its ranges."""
        table = self.ranges
        yield from fit.numeric((*at, "ranges", "measure"), table.measure)
        place = (*at, "ranges", "ranges")
        yield from below_mistakes(place, table.measure, table.ranges, fit)
        yield from range_mistakes(place, table.ranges, parts=1)


WeightedIndicator = Annotated[
    Annotated[DirectIndicator, Tag(TAG_MARK + "points_from")]
    | Annotated[RangedIndicator, Tag(TAG_MARK + "ranges")],
    by_key(
        ("points_from", "ranges"), "a mapping with weight and exactly one of points_from, ranges"
    ),
]


class WeightedVariants(Part):
    """Other indicators for some customers, told apart by a measure of text (see `variants`).

    Attributes:
        by: The measure; a value without a table, or an unknown one, takes the indicators above.
        tables: Per value, the indicators that differ, each written out whole.
    """

    by: Name = Field(description="the name of a measure of text")
    tables: dict[Value, Annotated[dict[Name, WeightedIndicator], Field(min_length=1)]] = Field(
        min_length=1, description="a mapping of values to the indicators that differ"
    )


class WeightedScorecard(Tiered):
    """Weighted sum of indicators, each on a scale of 100 points."""

    type: Literal["weighted_scorecard"]
    rounding: Rounding = Field(description="a mapping with mode and places")
    indicators: dict[Name, WeightedIndicator] = Field(
        min_length=1, description="a mapping of indicators"
    )
    variants: WeightedVariants | None = None

    @property
    def indicator_names(self) -> tuple[str, ...]:
        """The names of its indicators."""
        return tuple(self.indicators)

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with weights, ranges, variants and levels."""
        yield from _card_mistakes(at, self, fit)


class _Row(Protocol):
    """A row of a table of ranges."""

    @property
    def below(self) -> Decimal | None:
        """Exclusive upper end; None for the last."""


def _card_mistakes(
    at: Location, card: IntervalScorecard | WeightedScorecard, fit: Fit
) -> Iterator[Mistake]:
    weights = list(weight_mistakes((*at, "indicators"), card.indicators))
    yield from weights
    for name, indicator in card.indicators.items():
        yield from indicator.mistakes((*at, "indicators", name), fit)
    if card.variants is not None:
        yield from _variant_mistakes((*at, "variants"), card, card.variants, fit)
        for value, table in card.variants.tables.items():
            if not weights and table.keys() <= card.indicators.keys():
                place = (*at, "variants", "tables", value)
                yield from weight_mistakes(place, {**card.indicators, **table})
    yield from ladder_mistakes((*at, "tiers"), card.tiers, points=True)


def _variant_mistakes(
    at: Location,
    card: IntervalScorecard | WeightedScorecard,
    variants: IntervalVariants | WeightedVariants,
    fit: Fit,
) -> Iterator[Mistake]:
    yield from fit.text((*at, "by"), variants.by)
    for value, table in variants.tables.items():
        place = (*at, "tables", value)
        for name, indicator in table.items():
            if name not in card.indicators:
                allowed = one_of("an indicator of this scorecard", name, card.indicators)
                yield Mistake((*place, name), shown(name), allowed, at_key=True)
            yield from indicator.mistakes((*place, name), fit)


def below_mistakes(
    at: Location, measure: str, ranges: Sequence[_Row], fit: Fit
) -> Iterator[Mistake]:
    """Yield the upper ends that cannot be said in the unit of *measure*."""
    for position, part in enumerate(ranges):
        if part.below is not None:
            yield from fit.fits((*at, position, "below"), measure, part.below)


def order_mistakes(at: Location, rows: Sequence[_Row]) -> Iterator[Mistake]:
    """Yield the rows that do not follow on those before them, or leave something out."""
    before: Decimal | None = None
    for position, row in enumerate(rows):
        last = position + 1 == len(rows)
        if last and row.below is not None:
            allowed = "nothing: the last range is open upwards; end the list with one without below"
            yield Mistake((*at, position, "below"), shown(f"{row.below:f}"), allowed)
        if not last and row.below is None:
            allowed = "a number; only the last range has no below"
            yield Mistake((*at, position, "below"), None, allowed)
        if row.below is not None and before is not None and row.below <= before:
            allowed = f"a number above the range before it, {before:f} (ascending)"
            yield Mistake((*at, position, "below"), shown(f"{row.below:f}"), allowed)
        before = row.below if row.below is not None else before


def range_mistakes(at: Location, ranges: Sequence[Range], *, parts: int) -> Iterator[Mistake]:
    """Yield what is wrong with ranges whose full points are 100 / *parts*."""
    full = Fraction(_FULL, parts)
    yield from order_mistakes(at, ranges)
    for position, part in enumerate(ranges):
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
