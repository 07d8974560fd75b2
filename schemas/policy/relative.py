"""Cuts that the population sets: what a grading asks for, and how the policy lets them move."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.controls import MOST_CUTS
from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit
from schemas.policy.part import Items, Part, refuse
from schemas.policy.quantities import Level, Name, Weight

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.policy.gradings.base import GradingPart

Statistic = Literal["mean", "median", "quantiles", "shares", "tops"]
Centre = Literal["mean", "median"]
Cadence = Literal["hourly", "daily", "weekly", "monthly"]
"""When a census is taken, in the policy's time zone: at every full hour since midnight, at
midnight, at the midnight that begins a Monday, or at the one that begins a month."""

MOST_SEGMENTS = 50
_LONGEST_VALUE = 48

SegmentValue = Annotated[str, Field(min_length=1, max_length=_LONGEST_VALUE)]
"""A text that a measure may read; short, as it is a part of the names of cuts."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Some of the customers, told apart by what a measure of text reads.

    Attributes:
        by: The measure.
        value: What it reads of them; "" for the rest.
        others: Of the rest: the values that have a segment of their own.
    """

    by: str
    value: str
    others: frozenset[str] = frozenset()

    def holds(self, reading: object) -> bool:
        """Say whether a customer with this reading, or with none, is in the segment."""
        return reading == self.value if self.value else reading not in self.others


class Within(Part):
    """Levels of the population are found in each segment of it by itself.

    Attributes:
        measure: A measure of text, such as an industry or a region.
        segments: Its values that are a segment each; everybody else, with another value or
            without any, is in one more segment, the rest.
    """

    measure: Name = Field(description="the name of a measure of text")
    segments: Items[SegmentValue] = Field(
        description="a list of values, such as retail", max_length=MOST_SEGMENTS
    )

    def each(self) -> Iterator[Segment]:
        """Yield every segment, the rest last."""
        for value in self.segments:
            yield Segment(self.measure, value)
        yield Segment(self.measure, "", frozenset(self.segments))

    def mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the measure and the values."""
        yield from fit.text((*at, "measure"), self.measure)
        seen: set[str] = set()
        for position, value in enumerate(self.segments):
            if value in seen:
                yield Mistake((*at, "segments", position), shown(value), "a value not used above")
            seen.add(value)


@dataclass(frozen=True, slots=True)
class RelativeCut:
    """Levels of one measure that follow from all customers' readings of it.

    Attributes:
        axis: Key of the grading under which it stands.
        measure: Whose readings.
        statistic: How the levels are found: ``quantiles`` cut the customers into equal
            parts, ``shares`` are cumulative shares of the total, from the largest down,
            ``tops`` so many customers, or such a share of them, from the largest down.
        levels: How many there are, ascending.
        shares: For ``shares``: one for each level, from the highest level down.
        tops: For ``tops``: the same.
        segment: Whose readings count; None: everybody's.
        grading: Name of the grading; "" where only its axis matters.
    """

    axis: str
    measure: str
    statistic: Statistic
    levels: int = 1
    shares: tuple[Fraction, ...] = ()
    tops: tuple[int | Fraction, ...] = ()
    segment: Segment | None = None
    grading: str = ""

    @property
    def name(self) -> str:
        """Its name: ``grading.axis``, or ``grading.axis[segment]``.

        >>> RelativeCut("measure", "spent", "mean", grading="abc").name
        'abc.measure'
        """
        whole = f"{self.grading}.{self.axis}"
        return whole if self.segment is None else f"{whole}[{self.segment.value}]"

    @property
    def quantiles(self) -> tuple[Fraction, ...]:
        """Of a median or quantiles: the shares of the customers below each level."""
        return tuple(Fraction(i, self.levels + 1) for i in range(1, self.levels + 1))


class Population(Part):
    """What the policy knows of the population, and how it follows it.

    Attributes:
        frozen: Levels by name of the cut (``grading.axis``), ascending, as the author would
            write levels of that measure. A frozen cut does not follow the population.
        cadence: When the other cuts are worked out anew; None: never.
        dead_band: A cut stays as it is unless one of its levels has moved by more than this
            share of itself; None: it follows every move.
        most_moved: Of the customers of a cut, the share that may lie between the old and the
            new place of one level; further it does not move at one census. None: any share.
    """

    frozen: dict[str, Items[Level]] = Field(
        default_factory=dict, description="a mapping of cuts, as tierstream policy cuts prints it"
    )
    cadence: Cadence | None = None
    dead_band: Weight | None = None
    most_moved: Weight | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.frozen and self.cadence is None:
            refuse("a mapping with frozen or cadence, or both")
        return self


def relative_cuts(gradings: "Mapping[str, GradingPart]") -> dict[str, RelativeCut]:
    """Return every cut that *gradings* take from the population, by name."""
    return {
        cut.name: cut
        for name, grading in gradings.items()
        for cut in (replace(one, grading=name) for one in grading.relative())
    }


def population_mistakes(
    population: Population, gradings: "Mapping[str, GradingPart]", fit: Fit
) -> Iterator[Mistake]:
    """Yield what is wrong with the frozen cuts, and with how the others follow."""
    yield from _frozen_mistakes(population, gradings, fit)
    open_cuts = relative_cuts(gradings).keys() - population.frozen.keys()
    if population.cadence is None:
        for key in ("dead_band", "most_moved"):
            if getattr(population, key) is not None:
                allowed = "nothing without a cadence: hourly, daily, weekly or monthly"
                yield Mistake(("population", key), shown(key), allowed, at_key=True)
    elif len(open_cuts) > MOST_CUTS:
        allowed = f"it for at most {MOST_CUTS:,} cuts, not {len(open_cuts):,}; list fewer segments"
        yield Mistake(("population", "cadence"), shown(population.cadence), allowed)
    elif not open_cuts and not fit.broken:
        allowed = "nothing: every cut is frozen, or no grading is relative to the population"
        yield Mistake(("population", "cadence"), shown(population.cadence), allowed)


def _frozen_mistakes(
    population: Population, gradings: "Mapping[str, GradingPart]", fit: Fit
) -> Iterator[Mistake]:
    """Yield frozen cuts that no grading asks for, and levels that do not fit theirs."""
    known = relative_cuts(gradings)
    for name, levels in population.frozen.items():
        place: Location = ("population", "frozen", name)
        if name not in known:
            if name.partition("[")[0].rpartition(".")[0] not in fit.broken:
                cuts = ", ".join(known) or "none, as no grading is relative to the population"
                yield Mistake(place, shown(name), f"the cuts of this policy: {cuts}", at_key=True)
            continue
        cut = known[name]
        if len(levels) != cut.levels:
            wanted = "exactly 1 level" if cut.levels == 1 else f"exactly {cut.levels} levels"
            said = f"{len(levels)} level" + ("" if len(levels) == 1 else "s")
            yield Mistake(place, said, f"{wanted}, ascending")
        for position, level in enumerate(levels):
            yield from fit.fits((*place, position), cut.measure, level)
        for position, (one, two) in enumerate(pairwise(levels), start=1):
            if one > two:
                allowed = f"a number not below the level before it, {one:f} (ascending)"
                yield Mistake((*place, position), shown(f"{two:f}"), allowed)
