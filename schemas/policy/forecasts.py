"""Forecasts: who is warned of, how long before, and what a tier change says of the next one."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit
from schemas.policy.part import Items, Part
from schemas.policy.quantities import Name

_MOST_DAYS = 366


class Forecasts(Part):
    """What is foretold. Without it nothing is, and nothing of it is paid for.

    Attributes:
        lead_days: Days of exactly 24 hours before a fall at which its warning is due.
        gradings: Those that are warned of; None: every one whose grades have an order.
        in_changes: What a tier change says of the next change of its grading: nothing, the
            instant and the tier, or also what would prevent it where that is a fall.
    """

    lead_days: int = Field(ge=1, le=_MOST_DAYS, description="a whole number of days, such as 14")
    gradings: Items[Name] | None = Field(
        default=None, description="a list of gradings whose grades have an order"
    )
    in_changes: Literal["nothing", "instant", "prevention"] = Field(
        default="instant", description="nothing, instant or prevention"
    )

    def mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield every grading that nobody can fall in, with *at* as the place of the forecasts."""
        names = self.gradings or ()
        for index, name in enumerate(names):
            place = (*at, "gradings", index)
            yield from fit.ladder(place, name)
            if name in names[:index]:
                yield Mistake(place, shown(name), "each grading once")
