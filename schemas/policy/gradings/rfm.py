"""RFM: 125 cells and eight segments, by recency, frequency and monetary value."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, product
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit
from schemas.policy.gradings.relative import RelativePart
from schemas.policy.labels import Label
from schemas.policy.part import NOT_ALLOWED, TAG_MARK, Items, Part, refuse
from schemas.policy.quantities import Level, Name, Unit, Weight
from schemas.policy.relative import Centre, RelativeCut

SEGMENT_LABELS = {
    "important_value": Label(en="important: value", zh="重要价值客户"),
    "important_keep": Label(en="important: keep", zh="重要保持客户"),
    "important_develop": Label(en="important: develop", zh="重要发展客户"),
    "important_win_back": Label(en="important: win back", zh="重要挽留客户"),
    "general_value": Label(en="general: value", zh="一般价值客户"),
    "general_keep": Label(en="general: keep", zh="一般保持客户"),
    "general_develop": Label(en="general: develop", zh="一般发展客户"),
    "general_win_back": Label(en="general: win back", zh="一般挽留客户"),
}
"""The eight segments as seed 002 names them, best first."""

SEGMENTS = tuple(SEGMENT_LABELS)
CELLS = tuple("".join(digits) for digits in product("54321", repeat=3))
CUTS = 4

MEASURE = Field(description="the name of a measure")


def _written(value: object) -> str | None:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return TAG_MARK + "list"
    return TAG_MARK + "word" if value == "quintiles" else None


CellCuts = Annotated[
    Annotated[Items[Level], Tag(TAG_MARK + "list")]
    | Annotated[Literal["quintiles"], Tag(TAG_MARK + "word")],
    Discriminator(
        _written,
        custom_error_type=NOT_ALLOWED,
        custom_error_message="a list of 4 numbers, ascending, or quintiles",
    ),
]
"""Four levels, or the word for those that cut the customers into five equal parts."""


class Cuts(Part):
    """A measure cut into five parts by four ascending levels, or by the population's quintiles."""

    measure: Name = MEASURE
    cuts: CellCuts = Field(description="a list of 4 numbers, ascending, or quintiles")

    def relative(self, axis: str) -> Iterator[RelativeCut]:
        """Yield the cut that the population sets, if it does."""
        if self.cuts == "quintiles":
            yield RelativeCut(axis, self.measure, "quantiles", CUTS)

    def mistakes(self, at: Location, fit: Fit, units: tuple[Unit, ...] = ()) -> Iterator[Mistake]:
        """Yield what is wrong with the measure and the cuts."""
        yield from fit.numeric((*at, "measure"), self.measure, units)
        if isinstance(self.cuts, str):
            return
        if len(self.cuts) != CUTS:
            yield Mistake((*at, "cuts"), f"{len(self.cuts)} cuts", "exactly 4 cuts, ascending")
        for position, cut in enumerate(self.cuts):
            yield from fit.fits((*at, "cuts", position), self.measure, cut)
        for position, (one, two) in enumerate(pairwise(self.cuts), start=1):
            if one >= two:
                allowed = f"a number above the cut before it, {one:f}"
                yield Mistake((*at, "cuts", position), shown(f"{two:f}"), allowed)


class CellWeights(Part):
    """What each digit of a cell counts for in its score."""

    recency: Weight = Field(description='a percent such as "50%"')
    frequency: Weight = Field(description='a percent such as "30%"')
    monetary: Weight = Field(description='a percent such as "20%"')

    @model_validator(mode="after")
    def _add_up(self) -> Self:
        if self.recency + self.frequency + self.monetary != 1:
            refuse("weights that add up to 100%")
        return self


DEFAULT_WEIGHTS = CellWeights(
    recency=Fraction(1, 2), frequency=Fraction(3, 10), monetary=Fraction(1, 5)
)
"""Ours; that recency tells most and monetary value least is said in seed 002."""


class RfmCells(RelativePart):
    """Three digits from 1 to 5, "555" best: 125 cells by fixed cuts or by quintiles."""

    type: Literal["rfm_cells"]
    recency: Cuts = Field(description="a mapping with measure and cuts")
    frequency: Cuts = Field(description="a mapping with measure and cuts")
    monetary: Cuts = Field(description="a mapping with measure and cuts")
    weights: CellWeights = DEFAULT_WEIGHTS

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade it can give, best first."""
        return CELLS

    def axes(self) -> tuple[tuple[str, Cuts], ...]:
        """Return the three axes by key, R before F before M."""
        return (
            ("recency", self.recency),
            ("frequency", self.frequency),
            ("monetary", self.monetary),
        )

    def levels(self) -> Iterator[RelativeCut]:
        """Yield the quintiles it asks for."""
        for key, axis in self.axes():
            yield from axis.relative(key)

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the measures and their cuts."""
        for key, axis in self.axes():
            yield from axis.mistakes((*at, key), fit, ("days",) if key == "recency" else ())


class HighBelow(Part):
    """High (recent) while the measure is below the level, or below the population's centre."""

    measure: Name = MEASURE
    high_below: Level | None = None
    high: Centre | None = None

    @model_validator(mode="after")
    def _one_level(self) -> Self:
        if (self.high_below is None) is (self.high is None):
            refuse("a measure with exactly one of high_below, high")
        return self

    def relative(self, axis: str) -> Iterator[RelativeCut]:
        """Yield the cut that the population sets, if it does."""
        if self.high is not None:
            yield RelativeCut(axis, self.measure, self.high)

    def mistakes(self, at: Location, fit: Fit, units: tuple[Unit, ...] = ()) -> Iterator[Mistake]:
        """Yield what is wrong with the measure and the level."""
        yield from _level_mistakes(at, self.measure, ("high_below", self.high_below), fit, units)


class HighFrom(Part):
    """High from the level up, or from the population's centre up."""

    measure: Name = MEASURE
    high_from: Level | None = None
    high: Centre | None = None

    @model_validator(mode="after")
    def _one_level(self) -> Self:
        if (self.high_from is None) is (self.high is None):
            refuse("a measure with exactly one of high_from, high")
        return self

    def relative(self, axis: str) -> Iterator[RelativeCut]:
        """Yield the cut that the population sets, if it does."""
        if self.high is not None:
            yield RelativeCut(axis, self.measure, self.high)

    def mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the measure and the level."""
        yield from _level_mistakes(at, self.measure, ("high_from", self.high_from), fit)


def _level_mistakes(
    at: Location,
    measure: str,
    level: tuple[str, Decimal | None],
    fit: Fit,
    units: tuple[Unit, ...] = (),
) -> Iterator[Mistake]:
    key, value = level
    if value is None:
        yield from fit.numeric((*at, "measure"), measure, units)
    else:
        yield from fit.level(at, measure, (key, value), units)


class RfmSegments(RelativePart):
    """Eight segments by high or low recency, frequency and monetary value."""

    type: Literal["rfm_segments"]
    recency: HighBelow = Field(description="a mapping with measure and high_below or high")
    frequency: HighFrom = Field(description="a mapping with measure and high_from or high")
    monetary: HighFrom = Field(description="a mapping with measure and high_from or high")

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade it can give, best first."""
        return SEGMENTS

    def labels(self) -> dict[str, Label]:
        """Return the names of the eight segments."""
        return dict(SEGMENT_LABELS)

    def levels(self) -> Iterator[RelativeCut]:
        """Yield the means and medians it asks for."""
        yield from self.recency.relative("recency")
        yield from self.frequency.relative("frequency")
        yield from self.monetary.relative("monetary")

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the measures and their levels."""
        yield from self.recency.mistakes((*at, "recency"), fit, ("days",))
        yield from self.frequency.mistakes((*at, "frequency"), fit)
        yield from self.monetary.mistakes((*at, "monetary"), fit)
