"""Weighted scorecard: indicators on a scale of 100 points times weights (seed 000).

The seed's example: 90 * 40 % + 90 * 40 % + 60 * 20 % = 84.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.policy.gradings.scorecards import DirectIndicator
from stream.gradings.scorecard import FULL, Item, Scorecard, build_scorecard, range_table

if TYPE_CHECKING:
    from schemas.policy.gradings.scorecards import WeightedScorecard as Document
    from stream.gradings.base import Scope


def compile_weighted_scorecard(name: str, document: Document, scope: Scope) -> Scorecard:
    """Return the grading that *document* describes."""
    items = []
    for indicator, rule in document.indicators.items():
        if isinstance(rule, DirectIndicator):
            measure = scope.measures[rule.points_from]
            items.append(Item(indicator, rule.weight, measure, direct=True))
        else:
            table = rule.ranges
            cuts, points = range_table(table.measure, table.ranges, FULL, scope)
            measure = scope.measures[table.measure]
            items.append(Item(indicator, rule.weight, measure, cuts, points))
    return build_scorecard(name, items, document.rounding, document.tiers)
