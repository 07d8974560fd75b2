"""The census: every cut that the relative gradings of a policy name, from all readings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.population.cuts import (
    mean_cut,
    median_cut,
    pareto_cuts,
    quantile_cuts,
    top_cut,
    top_share_count,
)
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from schemas.policy import PolicyDocument
    from schemas.policy.gradings.base import GradingPart
    from schemas.policy.relative import RelativeCut
    from stream.customer import Value


def census(
    document: PolicyDocument, readings: Iterable[Sequence[Value]]
) -> Mapping[str, tuple[int, ...]]:
    """Return the cuts by name (``grading.axis``), each ascending, in the unit of its measure.

    The population of a cut are the customers whom its grading may grade: those with the
    grading's minimum evidence, and with a reading of the measure; of a cut of a segment
    (``grading.axis[segment]``), those of them who are in it. Where there is nobody, the
    cut is left out, and the grading says nothing. Frozen cuts are not looked at.

    Args:
        document: The policy.
        readings: For each customer, its measures in the order of the policy.
    """
    position = {name: i for i, name in enumerate(document.measures)}
    rows = list(readings)
    cuts: dict[str, tuple[int, ...]] = {}
    known: dict[str, Sequence[Sequence[Value]]] = {}
    for name, cut in document.relative_cuts().items():
        if cut.grading not in known:
            known[cut.grading] = _graded(document, document.gradings[cut.grading], rows)
        segment = cut.segment
        column = [
            row[position[cut.measure]]
            for row in known[cut.grading]
            if segment is None or segment.holds(row[position[segment.by]])
        ]
        population = [x for x in column if isinstance(x, int) and x != MISSING]
        if population:
            cuts[name] = _levels(cut, population)
    return cuts


def _graded(
    document: PolicyDocument, grading: GradingPart, rows: Sequence[Sequence[Value]]
) -> Sequence[Sequence[Value]]:
    """Return the rows of customers with the grading's minimum evidence."""
    evidence = grading.minimum_evidence
    if evidence is None:
        return rows
    position = list(document.measures).index(evidence.measure)
    least = document.threshold(evidence.measure, evidence.at_least)
    return [row for row in rows if row[position] >= least]  # type: ignore[operator]


def _levels(cut: RelativeCut, population: Sequence[int]) -> tuple[int, ...]:
    if cut.statistic == "mean":
        return (mean_cut(population),)
    if cut.statistic == "median":
        return (median_cut(population),)
    if cut.statistic == "shares":
        return tuple(reversed(pareto_cuts(population, cut.shares)))
    if cut.statistic == "tops":
        everyone = len(population)
        counts = [t if isinstance(t, int) else top_share_count(everyone, t) for t in cut.tops]
        return tuple(top_cut(population, count) for count in reversed(counts))
    return quantile_cuts(population, cut.levels + 1)
