"""Cuts that the population sets: what a grading asks for, and cuts frozen by the policy."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit
from schemas.policy.part import Items, Part
from schemas.policy.quantities import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.policy.gradings.base import GradingPart

Statistic = Literal["mean", "median", "quantiles", "shares"]
Centre = Literal["mean", "median"]


@dataclass(frozen=True, slots=True)
class RelativeCut:
    """Levels of one measure that follow from all customers' readings of it.

    Attributes:
        axis: Key of the grading under which it stands; with the grading's name in front of
            it, ``grading.axis``, the name of the cut.
        measure: Whose readings.
        statistic: How the levels are found: ``quantiles`` cut the customers into equal
            parts, ``shares`` are cumulative shares of the total, from the largest down.
        levels: How many there are, ascending.
        shares: For ``shares``: one for each level, from the highest level down.
    """

    axis: str
    measure: str
    statistic: Statistic
    levels: int = 1
    shares: tuple[Fraction, ...] = ()


class Population(Part):
    """What the policy knows of the population.

    Attributes:
        frozen: Levels by name of the cut (``grading.axis``), ascending, as the author would
            write levels of that measure. A frozen cut does not follow the population.
    """

    frozen: dict[str, Items[Level]] = Field(
        description="a mapping of cuts, as tierstream policy cuts prints it"
    )


def relative_cuts(gradings: "Mapping[str, GradingPart]") -> dict[str, RelativeCut]:
    """Return every cut that *gradings* take from the population, by name."""
    return {
        f"{name}.{cut.axis}": cut
        for name, grading in gradings.items()
        for cut in grading.relative()
    }


def frozen_mistakes(
    population: Population, gradings: "Mapping[str, GradingPart]", fit: Fit
) -> Iterator[Mistake]:
    """Yield frozen cuts that no grading asks for, and levels that do not fit theirs."""
    known = relative_cuts(gradings)
    for name, levels in population.frozen.items():
        place: Location = ("population", "frozen", name)
        if name not in known:
            if name.rpartition(".")[0] not in fit.broken:
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
