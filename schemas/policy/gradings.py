"""Gradings: how measures become a grade. One class for each ``type``."""

from decimal import Decimal
from itertools import product
from typing import Annotated, Literal

from pydantic import Field, Tag

from schemas.policy.conditions import Condition
from schemas.policy.part import TAG_MARK, Items, Part, by_key, by_type
from schemas.policy.quantities import MAX_DAYS, Level, Name, Points, Weight

SEGMENTS = (
    "important_value",
    "important_keep",
    "important_develop",
    "important_win_back",
    "general_value",
    "general_keep",
    "general_develop",
    "general_win_back",
)
CELLS = tuple("".join(digits) for digits in product("54321", repeat=3))
TAG_GRADES = ("present", "absent")
CUTS = 4

_MEASURE = Field(description="the name of a measure")
_TIERS = Field(description="a list of tiers, best first")


class Tier(Part):
    """One tier of a ladder.

    Attributes:
        tier: Its name.
        enter: Reached from this level up; None only for the last tier, the floor.
        exit: Kept down to this level; None means the same as enter.
    """

    tier: Name = Field(description="a tier name")
    enter: Level | None = None
    exit: Level | None = None

    @property
    def keep(self) -> Decimal | None:
        """The least level that keeps a customer in this tier; None for the floor."""
        return self.enter if self.exit is None else self.exit


class MinimumEvidence(Part):
    """Below this there is too little data to grade at all."""

    measure: Name = _MEASURE
    at_least: Level = Field(description="a number")


class Bands(Part):
    """Tiers by the level of one measure."""

    type: Literal["bands"]
    measure: Name = _MEASURE
    minimum_evidence: MinimumEvidence | None = None
    tiers: Items[Tier] = _TIERS

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade it can give, best first."""
        return tuple(tier.tier for tier in self.tiers)


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


class IntervalScorecard(Part):
    """Weighted sum of indicators, each the sum of the points of its measures."""

    type: Literal["interval_scorecard"]
    rounding: Rounding = Field(description="a mapping with mode and places")
    indicators: dict[Name, IntervalIndicator] = Field(
        min_length=1, description="a mapping of indicators"
    )
    tiers: Items[Tier] = _TIERS

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade it can give, best first."""
        return tuple(tier.tier for tier in self.tiers)


class RangeTable(Part):
    """Points from 0 to 100 by the range that a measure falls into."""

    measure: Name = _MEASURE
    ranges: Items[Range] = Field(description="a list of ranges")


class DirectIndicator(Part):
    """An indicator that takes the value of a measure, held to 0..100, as its points."""

    weight: Weight = Field(description='a percent such as "40%"')
    points_from: Name = _MEASURE


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


class WeightedScorecard(Part):
    """Weighted sum of indicators, each on a scale of 100 points."""

    type: Literal["weighted_scorecard"]
    rounding: Rounding = Field(description="a mapping with mode and places")
    indicators: dict[Name, WeightedIndicator] = Field(
        min_length=1, description="a mapping of indicators"
    )
    tiers: Items[Tier] = _TIERS

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade it can give, best first."""
        return tuple(tier.tier for tier in self.tiers)


class Cuts(Part):
    """A measure cut into five parts by four ascending levels."""

    measure: Name = _MEASURE
    cuts: Items[Level] = Field(description="a list of 4 numbers, ascending")


class RfmCells(Part):
    """Three digits from 1 to 5, "555" best: 125 cells by fixed cuts."""

    type: Literal["rfm_cells"]
    recency: Cuts = Field(description="a mapping with measure and cuts")
    frequency: Cuts = Field(description="a mapping with measure and cuts")
    monetary: Cuts = Field(description="a mapping with measure and cuts")

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade it can give, best first."""
        return CELLS


class HighBelow(Part):
    """High (recent) while the measure is below the level."""

    measure: Name = _MEASURE
    high_below: Level = Field(description="a number of days")


class HighFrom(Part):
    """High from the level up."""

    measure: Name = _MEASURE
    high_from: Level = Field(description="a number")


class RfmSegments(Part):
    """Eight segments by high or low recency, frequency and monetary value."""

    type: Literal["rfm_segments"]
    recency: HighBelow = Field(description="a mapping with measure and high_below")
    frequency: HighFrom = Field(description="a mapping with measure and high_from")
    monetary: HighFrom = Field(description="a mapping with measure and high_from")

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade it can give, best first."""
        return SEGMENTS


class ConditionLevel(Part):
    """A level and when it is given; only the last may hold always (``when`` left out)."""

    level: Name = Field(description="a level name")
    when: Condition | None = None


class Conditions(Part):
    """The first level whose condition holds; none of them: not yet graded."""

    type: Literal["conditions"]
    levels: Items[ConditionLevel] = Field(description="a list of levels, best first")

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade it can give, best first."""
        return tuple(level.level for level in self.levels)


class TagGrading(Part):
    """A tag that is present or absent.

    Attributes:
        add_when: Present while this holds.
        remove_when: Absent at once when this holds, even while add_when holds.
        keep_days: Stays so many days of 24 hours after add_when stops holding.
    """

    type: Literal["tag"]
    add_when: Condition = Field(description="a condition")
    remove_when: Condition | None = None
    keep_days: int = Field(default=0, ge=0, le=MAX_DAYS)

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade it can give, best first."""
        return TAG_GRADES


GRADING_TYPES = (
    "bands",
    "interval_scorecard",
    "weighted_scorecard",
    "rfm_cells",
    "rfm_segments",
    "conditions",
    "tag",
)

Grading = Annotated[
    Annotated[Bands, Tag(TAG_MARK + "bands")]
    | Annotated[IntervalScorecard, Tag(TAG_MARK + "interval_scorecard")]
    | Annotated[WeightedScorecard, Tag(TAG_MARK + "weighted_scorecard")]
    | Annotated[RfmCells, Tag(TAG_MARK + "rfm_cells")]
    | Annotated[RfmSegments, Tag(TAG_MARK + "rfm_segments")]
    | Annotated[Conditions, Tag(TAG_MARK + "conditions")]
    | Annotated[TagGrading, Tag(TAG_MARK + "tag")],
    by_type(GRADING_TYPES),
]
"""Told apart by its ``type``."""
