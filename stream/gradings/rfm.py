"""RFM by fixed cuts: the 125 cells and the eight segments.

Source: seeds 001 and 002 (RFM量化模型). R is recency in days, where fewer is better;
F and M are high from a level up. A customer without a reading stands in the worst part.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.policy.gradings.rfm import CELLS, SEGMENTS
from stream.gradings.base import Grading, Reading, Scope, merged
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from schemas.policy.gradings.rfm import RfmCells as CellsDocument
    from schemas.policy.gradings.rfm import RfmSegments as SegmentsDocument
    from stream.customer import Grade

# What one step of a digit is worth when two cells are compared: R before F before M.
_DIGIT_WEIGHTS = (100, 10, 1)

# (recent, frequent, high value) -> segment. Seed names: 重要价值 重要保持 重要发展 重要挽留,
# then the same four with 一般 for low monetary value.
_SEGMENT_BY_BITS = dict(
    zip(
        [
            (recent, frequent, valuable)
            for valuable in (True, False)
            for recent, frequent in ((True, True), (False, True), (True, False), (False, False))
        ],
        SEGMENTS,
        strict=True,
    )
)


@dataclass(slots=True)
class RfmCells(Grading):
    """Three digits from 1 (worst) to 5 (best): recency, frequency, monetary value."""

    recency: int = 0
    frequency: int = 0
    monetary: int = 0
    recency_cuts: tuple[int, ...] = ()
    frequency_cuts: tuple[int, ...] = ()
    monetary_cuts: tuple[int, ...] = ()

    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return the cell code, such as ``"543"``."""
        del standing
        values = reading.values
        days = values[self.recency]
        recent = 1 if days == MISSING else 5 - bisect_right(self.recency_cuts, days)
        frequent = 1 + bisect_right(self.frequency_cuts, values[self.frequency])
        valuable = 1 + bisect_right(self.monetary_cuts, values[self.monetary])
        return f"{recent}{frequent}{valuable}"

    def rank(self, tier: str) -> int | None:
        """Return the digits weighted R > F > M."""
        return sum(int(digit) * weight for digit, weight in zip(tier, _DIGIT_WEIGHTS, strict=True))


@dataclass(slots=True)
class RfmSegments(Grading):
    """Eight segments by high or low recency, frequency and monetary value."""

    recency: int = 0
    frequency: int = 0
    monetary: int = 0
    recent_below: int = 0
    frequent_from: int = 0
    valuable_from: int = 0

    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return the segment."""
        del standing
        values = reading.values
        days = values[self.recency]
        return _SEGMENT_BY_BITS[
            days != MISSING and days < self.recent_below,  # type: ignore[operator]
            values[self.frequency] >= self.frequent_from,  # type: ignore[operator]
            values[self.monetary] >= self.valuable_from,  # type: ignore[operator]
        ]

    def rank(self, tier: str) -> int | None:
        """Return None: segments call for different treatment, they are not a ladder."""
        del tier
        return None


def compile_rfm_cells(name: str, document: CellsDocument, scope: Scope) -> RfmCells:
    """Return the grading that *document* describes."""
    axes = (document.recency, document.frequency, document.monetary)
    positions = [scope.measures[axis.measure] for axis in axes]
    cuts = [tuple(scope.level(axis.measure, cut) for cut in axis.cuts) for axis in axes]
    # A customer who never ordered differs from one who ordered today.
    known = {positions[0]: (MISSING + 1,)}
    return RfmCells(
        name,
        CELLS,
        merged(
            known, *({position: levels} for position, levels in zip(positions, cuts, strict=True))
        ),
        recency=positions[0],
        frequency=positions[1],
        monetary=positions[2],
        recency_cuts=cuts[0],
        frequency_cuts=cuts[1],
        monetary_cuts=cuts[2],
    )


def compile_rfm_segments(name: str, document: SegmentsDocument, scope: Scope) -> RfmSegments:
    """Return the grading that *document* describes."""
    recency, frequency, monetary = document.recency, document.frequency, document.monetary
    recent_below = scope.level(recency.measure, recency.high_below)
    frequent_from = scope.level(frequency.measure, frequency.high_from)
    valuable_from = scope.level(monetary.measure, monetary.high_from)
    r, f, m = (scope.measures[axis.measure] for axis in (recency, frequency, monetary))
    return RfmSegments(
        name,
        SEGMENTS,
        merged({r: (MISSING + 1, recent_below)}, {f: (frequent_from,)}, {m: (valuable_from,)}),
        recency=r,
        frequency=f,
        monetary=m,
        recent_below=recent_below,
        frequent_from=frequent_from,
        valuable_from=valuable_from,
    )
