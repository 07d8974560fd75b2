"""What the measures of a scorecard add to its score, and every score that it can come to."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from stream.gradings.base import Reading
from stream.gradings.scorecard import round_units
from stream.proofs.cells import Cell, cells
from stream.proofs.judge import NOW_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.customer import Value
    from stream.gradings.scorecard import Scorecard
    from stream.proofs.traits import Traits

CONTINUOUS_CUTS = (0, 1, 20, 40, 50, 60, 70, 80, 90, 100)
"""Where a measure of which every change may matter is looked at, if not everywhere."""

_MOST_SUMS = 200_000
_EVERY_POINT = tuple(range(1, 101))

Points = dict[int, list[tuple[Cell, int]]]
"""By position of the measure, what each cell adds, in units of one over the denominator."""


def points(card: Scorecard, traits: Sequence[Traits]) -> Iterator[Points]:
    """Yield what each measure adds, for every combination of texts that may choose the ranges.

    A measure that is itself the points has a cell for each of 0 to 100.
    """
    looked_at = sorted({*card.cuts, *card.continuous})
    choosing = [m for m in looked_at if traits[m].domain.texts is not None]
    adding = [m for m in looked_at if traits[m].domain.texts is None]
    found = {
        m: cells(
            traits[m].domain,
            (*card.cuts.get(m, ()), *(_EVERY_POINT if m in card.continuous else ())),
        )
        for m in adding
    }
    for chosen in product(*(cells(traits[m].domain, ()) for m in choosing)):
        values: list[Value] = [0] * len(traits)
        for m, text in zip(choosing, chosen, strict=True):
            values[m] = text.start
        yield {m: [(cell, _added(card, values, m, cell)) for cell in found[m]] for m in adding}


def _added(card: Scorecard, values: Sequence[Value], measure: int, cell: Cell) -> int:
    made = [*values]
    made[measure] = cell.low
    parts = card.score(Reading(NOW_MS, made, [])).parts
    return int(sum(p.contribution for p in parts if p.measure == measure) * card.denominator)


def score_levels(card: Scorecard, traits: Sequence[Traits]) -> list[int] | None:
    """Return every rounded score, ascending, in units of the last place; None if too many.

    The measures are taken as free of each other, so some of these may not occur; a score that
    is not among them never does.
    """
    unit = 10**card.places
    levels: set[int] = set()
    for found in points(card, traits):
        sums = {0}
        for ranges in found.values():
            added = {earned for _, earned in ranges}
            sums = {total + earned for total in sums for earned in added}
            if len(sums) > _MOST_SUMS:
                return None
        levels.update(round_units(total * unit, card.denominator, card.mode) for total in sums)
    return sorted(levels)
