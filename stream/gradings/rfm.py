"""RFM: the 125 cells and the eight segments, by fixed cuts or by those of the population.

Source: seeds 001 and 002 (RFM量化模型). R is recency in days, where fewer is better;
F and M are high from a level up. A customer without a reading stands in the worst part.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

from schemas.policy.gradings.rfm import CELLS, SEGMENTS
from stream.gradings.base import Grading, Part, Reading, Scope, Score, merged
from stream.gradings.ungraded import Ungraded
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from decimal import Decimal

    from schemas.policy.gradings.rfm import Cuts
    from schemas.policy.gradings.rfm import RfmCells as CellsDocument
    from schemas.policy.gradings.rfm import RfmSegments as SegmentsDocument
    from stream.customer import Grade

_POINTS_PER_STEP = 20

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
    """Three digits from 1 (worst) to 5 (best): recency, frequency, monetary value.

    Attributes:
        weights: What each digit counts for in the score; they add up to 1.
        scale: Common denominator of the weights.
    """

    recency: int = 0
    frequency: int = 0
    monetary: int = 0
    recency_cuts: tuple[int, ...] = ()
    frequency_cuts: tuple[int, ...] = ()
    monetary_cuts: tuple[int, ...] = ()
    weights: tuple[Fraction, ...] = ()
    scale: int = 1

    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return the cell code, such as ``"543"``."""
        del standing
        recent, frequent, valuable = self._digits(reading)
        return f"{recent}{frequent}{valuable}"

    def score(self, reading: Reading) -> Score:
        """Return the weighted sum of 20 points for each step of each digit, from 20 to 100."""
        axes = ("recency", "frequency", "monetary")
        places = (self.recency, self.frequency, self.monetary)
        parts = tuple(
            Part(axis, place, reading.values[place], Fraction(digit * _POINTS_PER_STEP), weight)
            for axis, place, digit, weight in zip(
                axes, places, self._digits(reading), self.weights, strict=True
            )
        )
        return Score(sum((part.contribution for part in parts), Fraction(0)), parts, Fraction(0))

    def rank(self, tier: str) -> int | None:
        """Return a number that orders cells by score, and those of one score by R, F, then M."""
        steps = [int(digit) * weight for digit, weight in zip(tier, self.weights, strict=True)]
        return int(sum(steps) * self.scale) * 1_000 + int(tier)

    def _digits(self, reading: Reading) -> tuple[int, int, int]:
        values = reading.values
        days = values[self.recency]
        return (
            1 if days == MISSING else 5 - bisect_right(self.recency_cuts, days),
            1 + bisect_right(self.frequency_cuts, values[self.frequency]),
            1 + bisect_right(self.monetary_cuts, values[self.monetary]),
        )


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


def compile_rfm_cells(name: str, document: CellsDocument, scope: Scope) -> RfmCells | Ungraded:
    """Return the grading that *document* describes."""
    axes = document.axes()
    positions = [scope.measures[axis.measure] for _, axis in axes]
    found = [_cell_cuts(f"{name}.{key}", axis, scope) for key, axis in axes]
    cuts = [levels for levels in found if levels is not None]
    if len(cuts) < len(found):
        return Ungraded(name, CELLS)
    weights = tuple(getattr(document.weights, key) for key, _ in axes)
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
        weights=weights,
        scale=lcm(*(weight.denominator for weight in weights)),
    )


def compile_rfm_segments(
    name: str, document: SegmentsDocument, scope: Scope
) -> RfmSegments | Ungraded:
    """Return the grading that *document* describes."""
    recency, frequency, monetary = document.recency, document.frequency, document.monetary
    recent_below = high_level(f"{name}.recency", recency.measure, recency.high_below, scope)
    frequent_from = high_level(f"{name}.frequency", frequency.measure, frequency.high_from, scope)
    valuable_from = high_level(f"{name}.monetary", monetary.measure, monetary.high_from, scope)
    if recent_below is None or frequent_from is None or valuable_from is None:
        return Ungraded(name, SEGMENTS)
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


def high_level(cut: str, measure: str, fixed: Decimal | None, scope: Scope) -> int | None:
    """Return the *fixed* level of a measure, or else that of a *cut*; None while not known."""
    if fixed is not None:
        return scope.level(measure, fixed)
    levels = scope.cuts.get(cut)
    return None if levels is None else levels[0]


def _cell_cuts(cut: str, axis: Cuts, scope: Scope) -> tuple[int, ...] | None:
    if isinstance(axis.cuts, str):
        return scope.cuts.get(cut)
    return tuple(scope.level(axis.measure, level) for level in axis.cuts)
