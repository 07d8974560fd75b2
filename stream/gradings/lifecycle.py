"""Lifecycle: prospect, new, active, growing, declining, dormant, lost, won back.

By what is known at the instant and nothing else, so it does not matter how often anyone looks:
a customer is won back because an order ended a silence long enough to be lost, not because
someone saw them lost before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.policy.gradings.lifecycle import (
    ACTIVE,
    DECLINING,
    DORMANT,
    GROWING,
    LOST,
    NEW,
    PROSPECT,
    WON_BACK,
)
from stream.gradings.base import Grading, Reading, Scope, merged
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from schemas.policy.gradings.lifecycle import Lifecycle as Document
    from stream.customer import Grade

_KNOWN = MISSING + 1


@dataclass(frozen=True, slots=True)
class Trend:
    """Levels of a measure from which (below which) an active customer grows (declines)."""

    measure: int
    growing_from: int
    declining_below: int


@dataclass(slots=True)
class Lifecycle(Grading):
    """Stages in this order of precedence: the first that applies.

    Never ordered: prospect. Silent long enough: lost, or dormant. A long silence ended
    lately: won back. First order lately: new. Else by the trend: growing, declining, active.
    """

    recency: int = 0
    tenure: int = 0
    dormant_from: int = 0
    lost_from: int = 0
    new_below: int = 0
    trend: Trend | None = None
    silence: int | None = None

    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return the stage."""
        del standing
        values = reading.values
        silent: int = values[self.recency]  # type: ignore[assignment]
        if silent == MISSING:
            return PROSPECT
        if silent >= self.dormant_from:
            return LOST if silent >= self.lost_from else DORMANT
        if self.silence is not None and values[self.silence] >= self.lost_from:  # type: ignore[operator]
            return WON_BACK
        if MISSING < values[self.tenure] < self.new_below:  # type: ignore[operator]
            return NEW
        return self._by_trend(reading)

    def _by_trend(self, reading: Reading) -> str:
        trend = self.trend
        if trend is None:
            return ACTIVE
        change: int = reading.values[trend.measure]  # type: ignore[assignment]
        if change >= trend.growing_from:
            return GROWING
        return DECLINING if MISSING < change < trend.declining_below else ACTIVE

    def rank(self, tier: str) -> int | None:
        """Return None: stages call for different treatment, they are not a ladder."""
        del tier
        return None


def compile_lifecycle(name: str, document: Document, scope: Scope) -> Lifecycle:
    """Return the grading that *document* describes."""
    recency, tenure = document.recency, document.tenure
    dormant = scope.level(recency.measure, recency.dormant_from)
    lost = scope.level(recency.measure, recency.lost_from)
    new = scope.level(tenure.measure, tenure.new_below)
    cuts: list[dict[int, tuple[int, ...]]] = [
        {scope.measures[recency.measure]: (_KNOWN, dormant, lost)},
        {scope.measures[tenure.measure]: (_KNOWN, new)},
    ]
    trend = None
    if document.trend is not None:
        measure = document.trend.measure
        growing = scope.level(measure, document.trend.growing_from)
        declining = scope.level(measure, document.trend.declining_below)
        trend = Trend(scope.measures[measure], growing, declining)
        cuts.append({trend.measure: (_KNOWN, declining, growing)})
    silence = None
    if document.won_back is not None:
        silence = scope.measures[document.won_back]
        cuts.append({silence: (lost,)})
    return Lifecycle(
        name,
        document.grades,
        cuts=merged(*cuts),
        recency=scope.measures[recency.measure],
        tenure=scope.measures[tenure.measure],
        dormant_from=dormant,
        lost_from=lost,
        new_below=new,
        trend=trend,
        silence=silence,
    )
