"""Lifecycle: where a customer stands between the first contact and the last order."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit, one_of
from schemas.policy.gradings.base import GradingPart
from schemas.policy.labels import Label
from schemas.policy.part import Part
from schemas.policy.quantities import Level, Name

GROWING, ACTIVE, WON_BACK, NEW, DECLINING, DORMANT, LOST, PROSPECT = (
    "growing",
    "active",
    "won_back",
    "new",
    "declining",
    "dormant",
    "lost",
    "prospect",
)

_DAYS_OF = "the name of a measure of days"
_NUMBER_OF_DAYS = "a number of days"


class Recency(Part):
    """When silence becomes dormancy, and when the customer counts as lost."""

    measure: Name = Field(description=_DAYS_OF)
    dormant_from: Level = Field(description=_NUMBER_OF_DAYS)
    lost_from: Level = Field(description=_NUMBER_OF_DAYS)


class Tenure(Part):
    """How long a customer is new."""

    measure: Name = Field(description=_DAYS_OF)
    new_below: Level = Field(description=_NUMBER_OF_DAYS)


class Trend(Part):
    """When an active customer counts as growing or declining."""

    measure: Name = Field(description="the name of a measure, such as a growth")
    growing_from: Level = Field(description='a level such as "20%"')
    declining_below: Level = Field(description='a level such as "-20%"')


class Lifecycle(GradingPart):
    """The stage of a customer's life with us, by what is known now and nothing else.

    Attributes:
        recency: Of the last order.
        tenure: Since the first order.
        trend: Left out, nobody is growing or declining.
        won_back: A measure of days, such as longest_gap over 90d: won back while it is at
            least ``recency.lost_from``. Left out, nobody is.
        grade_labels: How people call the stages.
    """

    type: Literal["lifecycle"]
    recency: Recency = Field(description="a mapping with measure, dormant_from and lost_from")
    tenure: Tenure = Field(description="a mapping with measure and new_below")
    trend: Trend | None = None
    won_back: Name | None = Field(default=None, description=_DAYS_OF)
    grade_labels: dict[Name, Label] = Field(default_factory=dict)

    @property
    def grades(self) -> tuple[str, ...]:
        """Every stage it can give, best first."""
        stages = (GROWING, ACTIVE, WON_BACK, NEW, DECLINING, DORMANT, LOST, PROSPECT)
        left_out = {GROWING, DECLINING} if self.trend is None else set()
        left_out |= {WON_BACK} if self.won_back is None else set()
        return tuple(stage for stage in stages if stage not in left_out)

    def labels(self) -> dict[str, Label]:
        """Return the labels of the stages that have one."""
        return dict(self.grade_labels)

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the measures and their levels."""
        recency, tenure, trend = self.recency, self.tenure, self.trend
        place = (*at, "recency")
        dormant, lost = recency.dormant_from, recency.lost_from
        yield from fit.level(place, recency.measure, ("dormant_from", dormant), ("days",))
        yield from fit.fits((*place, "lost_from"), recency.measure, lost)
        if lost <= dormant:
            allowed = f"more days than dormant_from, {dormant:f}"
            yield Mistake((*place, "lost_from"), shown(f"{lost:f}"), allowed)
        level = ("new_below", tenure.new_below)
        yield from fit.level((*at, "tenure"), tenure.measure, level, ("days",))
        if trend is not None:
            place = (*at, "trend")
            rising, falling = trend.growing_from, trend.declining_below
            yield from fit.level(place, trend.measure, ("growing_from", rising))
            yield from fit.fits((*place, "declining_below"), trend.measure, falling)
            if falling > rising:
                allowed = f"at most growing_from, {rising:f}"
                yield Mistake((*place, "declining_below"), shown(f"{falling:f}"), allowed)
        if self.won_back is not None:
            yield from fit.numeric((*at, "won_back"), self.won_back, ("days",))
        for grade in self.grade_labels:
            if grade not in self.grades:
                words = one_of("a stage of this lifecycle", grade, self.grades)
                yield Mistake((*at, "grade_labels", grade), shown(grade), words, at_key=True)
