"""Weighted scorecard: indicators on a scale of 100 points times weights (seed 000).

The seed's example: 90 * 40 % + 90 * 40 % + 60 * 20 % = 84.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.policy.gradings.scorecards import DirectIndicator
from stream.gradings.scorecard import (
    FULL,
    Item,
    Scorecard,
    compile_scorecard,
    range_table,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.policy.gradings.scorecards import WeightedIndicator
    from schemas.policy.gradings.scorecards import WeightedScorecard as Document
    from stream.gradings.base import Scope


def compile_weighted_scorecard(name: str, document: Document, scope: Scope) -> Scorecard:
    """Return the grading that *document* describes."""
    return compile_scorecard(name, document, _items, scope)


def _items(
    indicator: str, rule: WeightedIndicator, scope: Scope, table: str | None
) -> Iterator[Item]:
    if isinstance(rule, DirectIndicator):
        measure = scope.measures[rule.points_from]
        yield Item(indicator, rule.weight, measure, direct=True, table=table)
    else:
        ranges = rule.ranges
        cuts, points = range_table(ranges.measure, ranges.ranges, FULL, scope)
        measure = scope.measures[ranges.measure]
        yield Item(indicator, rule.weight, measure, cuts, points, table=table)
