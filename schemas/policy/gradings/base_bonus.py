"""Base points for one measure, bonus points for others, and bands of the total (seed 004)."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, Tag

from schemas.policy.conditions import Condition, GradingCondition, MeasureCondition, leaves
from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit
from schemas.policy.gradings.scorecards import below_mistakes, order_mistakes
from schemas.policy.gradings.tiers import Tiered, ladder_mistakes
from schemas.policy.labels import Label
from schemas.policy.part import TAG_MARK, Items, Part, by_key
from schemas.policy.quantities import BasisPoints, Level, Name, PlainPoints

BASE = "base"
_POINTS = Field(description="points such as 10")


class PointRange(Part):
    """Points for values from the range before (or minus infinity) up to, not including, below.

    Attributes:
        below: Exclusive upper end; None only for the last range, which is open.
    """

    below: Level | None = None
    points: PlainPoints = _POINTS


class PointTable(Part):
    """Points by the range that a measure falls into."""

    measure: Name = Field(description="the name of a measure")
    ranges: Items[PointRange] = Field(description="a list of ranges")
    label: Label | None = None

    @property
    def most(self) -> Decimal:
        """The most points that it can give."""
        return max(part.points for part in self.ranges)

    def mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the measure and its ranges."""
        yield from fit.numeric((*at, "measure"), self.measure)
        yield from below_mistakes((*at, "ranges"), self.measure, self.ranges, fit)
        yield from order_mistakes((*at, "ranges"), self.ranges)


class Award(Part):
    """Points while a condition holds, however often it came about."""

    when: Condition = Field(description="a condition")
    points: PlainPoints = _POINTS
    label: Label | None = None

    @property
    def most(self) -> Decimal:
        """The most points that it can give."""
        return self.points


Bonus = Annotated[
    Annotated[Award, Tag(TAG_MARK + "when")] | Annotated[PointTable, Tag(TAG_MARK + "measure")],
    by_key(
        ("when", "measure"), "a mapping with when and points, or with measure and ranges, not both"
    ),
]
"""An item that counts once. It expires with the window of its measure, or with a tag it tests."""


class BaseBonus(Tiered):
    """Base points plus bonus points, and tiers by the total.

    Attributes:
        base: Points for the main measure, such as the order amount.
        bonus: Further items; each adds its points once.
    """

    type: Literal["base_bonus"]
    base: PointTable = Field(description="a mapping with measure and ranges")
    bonus: dict[Name, Bonus] = Field(min_length=1, description="a mapping of bonus items")

    @property
    def indicator_names(self) -> tuple[str, ...]:
        """The names of its bonus items."""
        return tuple(self.bonus)

    def tests(self) -> Iterator[tuple[Location, MeasureCondition | GradingCondition]]:
        """Yield the tests of the bonus items that have a condition."""
        for name, item in self.bonus.items():
            if isinstance(item, Award):
                yield from leaves(item.when, ("bonus", name, "when"))

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with ranges and levels."""
        yield from self.base.mistakes((*at, BASE), fit)
        for name, item in self.bonus.items():
            if name == BASE:
                allowed = f"a name other than {BASE}, which the base points have"
                yield Mistake((*at, "bonus", name), shown(name), allowed, at_key=True)
            if isinstance(item, PointTable):
                yield from item.mistakes((*at, "bonus", name), fit)
        yield from ladder_mistakes((*at, "tiers"), self.tiers)
        most = sum((item.most for item in self.bonus.values()), self.base.most)
        for position, tier in enumerate(self.tiers):
            for key, level in (("enter", tier.enter), ("exit", tier.exit)):
                if level is not None and (isinstance(level, BasisPoints) or not 0 <= level <= most):
                    allowed = f"points from 0 to {most:f}, the most that base and bonus can give"
                    yield Mistake((*at, "tiers", position, key), shown(f"{level:f}"), allowed)
