"""Interval scorecard: an indicator's 100 points are split evenly over its measures (seed 000).

Each measure has ranges with fixed points; the points of an indicator are added up and
weighted. The seed's worked example comes to 236/3 = 78.666…, printed as 78.66.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.gradings.scorecard import FULL, Item, Scorecard, build_scorecard, range_table

if TYPE_CHECKING:
    from schemas.policy.gradings.scorecards import IntervalScorecard as Document
    from stream.gradings.base import Scope


def compile_interval_scorecard(name: str, document: Document, scope: Scope) -> Scorecard:
    """Return the grading that *document* describes."""
    items = []
    for indicator, table in document.indicators.items():
        full = FULL / len(table.measures)
        for measure, ranges in table.measures.items():
            cuts, points = range_table(measure, ranges, full, scope)
            items.append(Item(indicator, table.weight, scope.measures[measure], cuts, points))
    return build_scorecard(name, items, document.rounding, document.tiers)
