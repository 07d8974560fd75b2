"""Tags: a mark that rules add and remove."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from schemas.policy.conditions import Condition, GradingCondition, MeasureCondition, leaves
from schemas.policy.findings import Location
from schemas.policy.gradings.base import GradingPart
from schemas.policy.quantities import MAX_DAYS

TAG_GRADES = ("present", "absent")


class TagGrading(GradingPart):
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

    def tests(self) -> Iterator[tuple[Location, MeasureCondition | GradingCondition]]:
        """Yield the tests of both rules."""
        yield from leaves(self.add_when, ("add_when",))
        if self.remove_when is not None:
            yield from leaves(self.remove_when, ("remove_when",))
