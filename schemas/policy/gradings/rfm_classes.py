"""RFM in four classes: high value, win back, new and low value, and everyone else."""

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit
from schemas.policy.gradings.relative import RelativePart
from schemas.policy.gradings.rfm import MEASURE, HighBelow, HighFrom
from schemas.policy.labels import Label
from schemas.policy.part import Part, refuse
from schemas.policy.quantities import Level, Name
from schemas.policy.relative import RelativeCut

CLASS_LABELS = {
    "high_value": Label(en="high value", zh="高价值客户"),
    "important_win_back": Label(en="important: win back", zh="重要挽留客户"),
    "new": Label(en="new", zh="新客户"),
    "low_value": Label(en="low value", zh="低价值客户"),
    "other": Label(en="other", zh="其他"),
}
"""The four classes of seed 002, and ours for whom it gives no class."""

CLASSES = tuple(CLASS_LABELS)


class LowMidHigh(Part):
    """Low, middle from ``mid_from`` up, high from ``high_from`` up; or the population's thirds."""

    measure: Name = MEASURE
    mid_from: Level | None = None
    high_from: Level | None = None
    cuts: Literal["terciles"] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        fixed = (self.mid_from is not None, self.high_from is not None)
        if fixed not in {(True, True), (False, False)} or any(fixed) is (self.cuts is not None):
            refuse("a measure with mid_from and high_from, or with cuts: terciles")
        return self

    def mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the measure and the levels."""
        yield from fit.numeric((*at, "measure"), self.measure)
        levels = [("mid_from", self.mid_from), ("high_from", self.high_from)]
        fixed = [(key, level) for key, level in levels if level is not None]
        for key, level in fixed:
            yield from fit.fits((*at, key), self.measure, level)
        if len(fixed) > 1 and fixed[0][1] >= fixed[1][1]:
            allowed = f"a number above mid_from, {fixed[0][1]:f}"
            yield Mistake((*at, "high_from"), shown(f"{fixed[1][1]:f}"), allowed)


class RfmClasses(RelativePart):
    """Four classes by recency, frequency and monetary value, and ``other``."""

    type: Literal["rfm_classes"]
    recency: HighBelow = Field(description="a mapping with measure and high_below or high")
    frequency: HighFrom = Field(description="a mapping with measure and high_from or high")
    monetary: LowMidHigh = Field(
        description="a mapping with measure, and mid_from and high_from or cuts"
    )

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade it can give, best first."""
        return CLASSES

    def labels(self) -> dict[str, Label]:
        """Return the names of the classes."""
        return dict(CLASS_LABELS)

    def levels(self) -> Iterator[RelativeCut]:
        """Yield the cuts it takes from the population."""
        yield from self.recency.relative("recency")
        yield from self.frequency.relative("frequency")
        if self.monetary.cuts is not None:
            yield RelativeCut("monetary", self.monetary.measure, "quantiles", 2)

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the measures and their levels."""
        yield from self.recency.mistakes((*at, "recency"), fit, ("days",))
        yield from self.frequency.mistakes((*at, "frequency"), fit)
        yield from self.monetary.mistakes((*at, "monetary"), fit)
