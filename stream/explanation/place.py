"""Where a customer's reading lies among everybody's, and between which cuts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from schemas.policy.relative import RelativeCut
    from stream.customer import Value
    from stream.plan import Plan
    from stream.population.ordered import Ordered
    from stream.population.rankings import Ranking

Order = Callable[["Ranking"], "Ordered"]
"""Gives the readings of everyone in a ranking."""

_SHARED = frozenset({"shares", "tops"})


@dataclass(frozen=True, slots=True)
class Rank:
    """A reading among all those of a ranking.

    Attributes:
        rank: 1 for the best; for any other one more than there are better ones. Best is the
            largest reading; of recency the least.
        customers: How many there are.
        percentile: The share of them that do no better, from above 0 to 1.
        share: The reading as a share of the total of those above 0; None where no total is
            divided. 0 where nothing is above 0.
        cumulative: The share of that total that it brings together with all above.
    """

    rank: int
    customers: int
    percentile: Fraction
    share: Fraction | None
    cumulative: Fraction | None


@dataclass(frozen=True, slots=True)
class Place:
    """A reading, and the cut of the population that it is compared with.

    Attributes:
        cut: Name of the cut.
        measure: Its measure.
        unit: Of reading and levels.
        segment: The value of the segment, "" for the rest; None: the cut is everybody's.
        value: The reading; None while unknown.
        levels: The cut in force, ascending; None while there is none.
        frozen: Whether the policy freezes it.
        up: The nearest level above the reading; None: there is none, or no reading.
        down: The nearest level at or below it; the same.
        rank: None where everyone's readings are not known, or the customer does not count.
    """

    cut: str
    measure: str
    unit: str
    segment: str | None
    value: int | None
    levels: tuple[int, ...] | None
    frozen: bool
    up: int | None
    down: int | None
    rank: Rank | None


def places_of(
    plan: Plan, grading: str, values: Sequence[Value], order: Order | None
) -> Iterator[Place]:
    """Yield a place for each cut of the population that a customer's grade depends on.

    Args:
        plan: The policy, with the cuts in force.
        grading: Name of the grading.
        values: The customer's readings.
        order: Everyone's readings; None where they are not known, or the customer is not among
            them.
    """
    position = {measure.name: i for i, measure in enumerate(plan.measures)}
    ranked = {name: ranking for ranking in plan.rankings for name in ranking.cuts}
    for name, cut in plan.document.relative_cuts().items():
        segment = cut.segment
        if cut.grading != grading:
            continue
        if segment is not None and not segment.holds(values[position[segment.by]]):
            continue
        value, levels = values[position[cut.measure]], plan.cuts.get(name)
        known = value if isinstance(value, int) and value != MISSING else None
        cell = 0 if known is None or levels is None else bisect_right(levels, known)
        ranking = ranked.get(name)
        yield Place(
            cut=name,
            measure=cut.measure,
            unit=plan.measures[position[cut.measure]].unit,
            segment=None if segment is None else segment.value,
            value=known,
            levels=levels,
            frozen=ranking is None and levels is not None,
            up=None if known is None or not levels or cell == len(levels) else levels[cell],
            down=levels[cell - 1] if levels and cell else None,
            rank=None
            if ranking is None or order is None or known is None or not _counts(ranking, values)
            else rank_of(cut, known, order(ranking)),
        )


def rank_of(cut: RelativeCut, reading: int, everyone: Ordered) -> Rank | None:
    """Return the rank of a reading that is one of *everyone*'s; None where nobody is there."""
    count = everyone.count
    if not count:
        return None
    # It may have been told a moment later than theirs: better than all of them at most.
    fewest = cut.axis == "recency"
    better = everyone.below(reading) if fewest else count - everyone.below(reading + 1)
    better = min(better, count - 1)
    share = cumulative = None
    if cut.statistic in _SHARED:
        total = everyone.earned_from(1)
        share = Fraction(max(reading, 0), total) if total else Fraction(0)
        cumulative = Fraction(everyone.earned_from(reading), total) if total else Fraction(0)
    return Rank(better + 1, count, 1 - Fraction(better, count), share, cumulative)


def _counts(ranking: Ranking, values: Sequence[Value]) -> bool:
    if ranking.evidence is None:
        return True
    position, least = ranking.evidence
    return values[position] >= least  # type: ignore[operator]
