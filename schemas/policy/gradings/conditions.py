"""Condition matching: the first level whose rule holds."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from schemas.policy.conditions import Condition, GradingCondition, MeasureCondition, leaves
from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit
from schemas.policy.gradings.base import GradingPart
from schemas.policy.labels import Label
from schemas.policy.part import Items, Part
from schemas.policy.quantities import Name


class ConditionLevel(Part):
    """A level and when it is given; only the last may hold always (``when`` left out)."""

    level: Name = Field(description="a level name")
    when: Condition | None = None
    label: Label | None = None


class Conditions(GradingPart):
    """The first level whose condition holds; none of them: not yet graded."""

    type: Literal["conditions"]
    levels: Items[ConditionLevel] = Field(description="a list of levels, best first")

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade it can give, best first."""
        return tuple(level.level for level in self.levels)

    @property
    def ordered(self) -> bool:
        """Whether its grades go from best to worst."""
        return True

    def labels(self) -> dict[str, Label]:
        """Return the labels of the levels that have one."""
        return {level.level: level.label for level in self.levels if level.label is not None}

    def tests(self) -> Iterator[tuple[Location, MeasureCondition | GradingCondition]]:
        """Yield the tests of every level."""
        for position, level in enumerate(self.levels):
            if level.when is not None:
                yield from leaves(level.when, ("levels", position, "when"))

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield names that stand twice, and levels that hide those after them."""
        del fit
        seen: set[str] = set()
        for position, level in enumerate(self.levels):
            place = (*at, "levels", position)
            if level.level in seen:
                yield Mistake((*place, "level"), shown(level.level), "a name not used above")
            seen.add(level.level)
            if level.when is None and position + 1 < len(self.levels):
                allowed = "a condition; only the last level may do without"
                yield Mistake((*place, "when"), None, allowed)
