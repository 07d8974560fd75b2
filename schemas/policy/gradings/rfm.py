"""RFM: 125 cells and eight segments, by recency, frequency and monetary value."""

from collections.abc import Iterator
from itertools import pairwise, product
from typing import Literal

from pydantic import Field

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit
from schemas.policy.gradings.base import GradingPart
from schemas.policy.part import Items, Part
from schemas.policy.quantities import Level, Name, Unit

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
CUTS = 4

_MEASURE = Field(description="the name of a measure")


class Cuts(Part):
    """A measure cut into five parts by four ascending levels."""

    measure: Name = _MEASURE
    cuts: Items[Level] = Field(description="a list of 4 numbers, ascending")


class RfmCells(GradingPart):
    """Three digits from 1 to 5, "555" best: 125 cells by fixed cuts."""

    type: Literal["rfm_cells"]
    recency: Cuts = Field(description="a mapping with measure and cuts")
    frequency: Cuts = Field(description="a mapping with measure and cuts")
    monetary: Cuts = Field(description="a mapping with measure and cuts")

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade it can give, best first."""
        return CELLS

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the measures and their cuts."""
        yield from _cut_mistakes((*at, "recency"), self.recency, fit, ("days",))
        yield from _cut_mistakes((*at, "frequency"), self.frequency, fit)
        yield from _cut_mistakes((*at, "monetary"), self.monetary, fit)


def _cut_mistakes(
    at: Location, part: Cuts, fit: Fit, units: tuple[Unit, ...] = ()
) -> Iterator[Mistake]:
    yield from fit.numeric((*at, "measure"), part.measure, units)
    if len(part.cuts) != CUTS:
        yield Mistake((*at, "cuts"), f"{len(part.cuts)} cuts", "exactly 4 cuts, ascending")
    for position, cut in enumerate(part.cuts):
        yield from fit.fits((*at, "cuts", position), part.measure, cut)
    for position, (one, two) in enumerate(pairwise(part.cuts), start=1):
        if one >= two:
            allowed = f"a number above the cut before it, {one:f}"
            yield Mistake((*at, "cuts", position), shown(f"{two:f}"), allowed)


class HighBelow(Part):
    """High (recent) while the measure is below the level."""

    measure: Name = _MEASURE
    high_below: Level = Field(description="a number of days")


class HighFrom(Part):
    """High from the level up."""

    measure: Name = _MEASURE
    high_from: Level = Field(description="a number")


class RfmSegments(GradingPart):
    """Eight segments by high or low recency, frequency and monetary value."""

    type: Literal["rfm_segments"]
    recency: HighBelow = Field(description="a mapping with measure and high_below")
    frequency: HighFrom = Field(description="a mapping with measure and high_from")
    monetary: HighFrom = Field(description="a mapping with measure and high_from")

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade it can give, best first."""
        return SEGMENTS

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the measures and their levels."""
        recency = self.recency
        level = ("high_below", recency.high_below)
        yield from fit.level((*at, "recency"), recency.measure, level, ("days",))
        for key, part in (("frequency", self.frequency), ("monetary", self.monetary)):
            yield from fit.level((*at, key), part.measure, ("high_from", part.high_from))
