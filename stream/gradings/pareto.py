"""Pareto (ABC): classes by the share that the best customers bring together.

Source: the classes A, B and C of seed 001 and the 80/20 rule of seeds 000 to 004. Which
readings reach which share is for the census to say (`stream.population.cuts.pareto_cuts`);
here they are levels like any other.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.gradings.base import Grading, Reading, Scope
from stream.gradings.ungraded import Ungraded

if TYPE_CHECKING:
    from schemas.policy.gradings.pareto import Pareto as Document
    from stream.customer import Grade


@dataclass(slots=True)
class Pareto(Grading):
    """Classes between ascending levels. A measure without a reading stands in the last class."""

    measure: int = 0
    levels: tuple[int, ...] = ()

    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return the class; customers with the same reading are always in the same one."""
        del standing
        passed = bisect_right(self.levels, reading.values[self.measure])
        return self.tiers[len(self.levels) - passed]


def compile_pareto(name: str, document: Document, scope: Scope) -> Pareto | Ungraded:
    """Return the grading that *document* describes."""
    levels = scope.cuts.get(f"{name}.measure")
    if levels is None:
        return Ungraded(name, document.grades)
    measure = scope.measures[document.measure]
    return Pareto(
        name,
        document.grades,
        cuts={measure: tuple(sorted(set(levels)))},
        measure=measure,
        levels=levels,
    )
