"""RFM in four classes, and everyone else.

Source: seed 002 (RFM模型). High value: R, F and M high. Win back: R low, F high, M in the
middle. New: R high, F and M low. Low value: all three low. The seed gives no class for any
other combination: here that is ``other``.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.policy.gradings.rfm_classes import CLASSES
from stream.gradings.base import Grading, Reading, Scope, merged
from stream.gradings.rfm import high_level
from stream.gradings.ungraded import Ungraded
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from schemas.policy.gradings.rfm_classes import LowMidHigh
    from schemas.policy.gradings.rfm_classes import RfmClasses as Document
    from stream.customer import Grade

_LOW, _MIDDLE, _HIGH = range(3)
_OTHER = "other"

# (recent, frequent, monetary value) -> class
_CLASS_BY_PLACE = {
    (True, True, _HIGH): "high_value",
    (False, True, _MIDDLE): "important_win_back",
    (True, False, _LOW): "new",
    (False, False, _LOW): "low_value",
}


@dataclass(slots=True)
class RfmClasses(Grading):
    """Four classes by recency and frequency, high or low, and monetary value in three parts."""

    recency: int = 0
    frequency: int = 0
    monetary: int = 0
    recent_below: int = 0
    frequent_from: int = 0
    monetary_levels: tuple[int, ...] = ()

    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return the class."""
        del standing
        values = reading.values
        days = values[self.recency]
        place = (
            days != MISSING and days < self.recent_below,  # type: ignore[operator]
            values[self.frequency] >= self.frequent_from,  # type: ignore[operator]
            bisect_right(self.monetary_levels, values[self.monetary]),
        )
        return _CLASS_BY_PLACE.get(place, _OTHER)

    def rank(self, tier: str) -> int | None:
        """Return None: classes call for different treatment, they are not a ladder."""
        del tier
        return None


def compile_rfm_classes(name: str, document: Document, scope: Scope) -> RfmClasses | Ungraded:
    """Return the grading that *document* describes."""
    recency, frequency, monetary = document.recency, document.frequency, document.monetary
    recent_below = high_level(f"{name}.recency", recency.measure, recency.high_below, scope)
    frequent_from = high_level(f"{name}.frequency", frequency.measure, frequency.high_from, scope)
    levels = _monetary_levels(f"{name}.monetary", monetary, scope)
    if recent_below is None or frequent_from is None or levels is None:
        return Ungraded(name, CLASSES)
    r, f, m = (scope.measures[axis.measure] for axis in (recency, frequency, monetary))
    return RfmClasses(
        name,
        CLASSES,
        merged({r: (MISSING + 1, recent_below)}, {f: (frequent_from,)}, {m: levels}),
        recency=r,
        frequency=f,
        monetary=m,
        recent_below=recent_below,
        frequent_from=frequent_from,
        monetary_levels=levels,
    )


def _monetary_levels(cut: str, axis: LowMidHigh, scope: Scope) -> tuple[int, ...] | None:
    if axis.mid_from is None or axis.high_from is None:
        return scope.cuts.get(cut)
    return tuple(scope.level(axis.measure, level) for level in (axis.mid_from, axis.high_from))
