"""Interval scorecard: an indicator's 100 points are split evenly over its measures (seed 000).

Each measure has ranges with fixed points; the points of an indicator are added up and
weighted. The seed's worked example comes to 236/3 = 78.666…, printed as 78.66. As the seed
asks, ranges may differ by the type of customer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.gradings.scorecard import (
    FULL,
    Item,
    Scorecard,
    compile_scorecard,
    range_table,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.policy.gradings.scorecards import IntervalIndicator
    from schemas.policy.gradings.scorecards import IntervalScorecard as Document
    from stream.gradings.base import Scope


def compile_interval_scorecard(name: str, document: Document, scope: Scope) -> Scorecard:
    """Return the grading that *document* describes."""
    return compile_scorecard(name, document, _items, scope)


def _items(
    indicator: str, rule: IntervalIndicator, scope: Scope, table: str | None
) -> Iterator[Item]:
    full = FULL / len(rule.measures)
    for measure, ranges in rule.measures.items():
        cuts, points = range_table(measure, ranges, full, scope)
        position = scope.measures[measure]
        yield Item(indicator, rule.weight, position, cuts, points, table=table)
