"""What a look at one stored customer gives: its amount, its place in matrices, its next tier."""

from __future__ import annotations

import heapq
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from schemas.policy.measures import SumMeasure
from stream.customer import decode
from stream.explanation.standing import POINTS, standing_of
from stream.fold import TerseScorer
from stream.gradings.bands import Bands
from stream.gradings.base import Reading
from stream.gradings.matrix import LevelAxis, Matrix, TierAxis
from stream.gradings.scorecard import Scorecard
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from schemas.policy import PolicyDocument
    from stream.gradings.base import Grading
    from stream.plan import Plan

_POINTS = 1_500
_CANDIDATES = 200
_HASH_BYTES = 8


class AxisNote(NamedTuple):
    """What one axis of a matrix shows.

    Attributes:
        name: Of the measure, or of the grading whose score is shown.
        unit: Of the readings; ``points`` for scores.
        places: Decimal places of scores; 0 for others.
        levels: Where positions change, ascending; of a score the level that earns each tier.
    """

    name: str
    unit: str
    places: int
    levels: tuple[int, ...]


class Point(NamedTuple):
    """One customer in a matrix: *x* on the columns' axis, *y* on the rows'."""

    customer_id: str
    tier: str
    x: int
    y: int


class Candidate(NamedTuple):
    """A customer close to the next better tier.

    Attributes:
        to: The next better tier.
        level: What it is judged by now.
        missing: What is missing to `to`.
        enter: The level that earns `to`.
        unit: Of the three; ``points`` for scores, with `places` decimal places.
    """

    customer_id: str
    grading: str
    tier: str
    to: str
    level: int
    missing: int
    enter: int
    unit: str
    places: int


def amount_measure(document: PolicyDocument, wanted: str | None = None) -> str | None:
    """Return the measure that says what a customer brings in, for shares of tiers.

    *wanted* where it is named; else the first sum of contribution, else the first of any money,
    that the policy has; None where it has none.

    Raises:
        ValueError: *wanted* is not a measure of money; the message says which are.
    """
    names = [name for name, measure in document.measures.items() if measure.unit == "money"]
    if wanted is not None:
        if wanted not in names:
            raise ValueError(", ".join(names) or "none: this policy measures no money")
        return wanted
    sums = {
        name: measure.sum
        for name, measure in document.measures.items()
        if isinstance(measure, SumMeasure)
    }
    of_contribution = [name for name, amount in sums.items() if amount == "contribution"]
    return next(iter((*of_contribution, *sums)), None)


class Survey:
    """One pass over stored customers, under one policy.

    Attributes:
        axes: Of each matrix with two axes that can be shown, columns first.
        points: By matrix: a sample that is the same in every pass.
        candidates: By grading with a ladder: the closest to their next tier, the closest first.
            Both are complete after `finish`.
    """

    def __init__(self, plan: Plan, amount: str | None) -> None:
        """Look at customers by *plan*; *amount* names the measure of what they bring in."""
        self._plan = plan
        self._scorer = TerseScorer(plan)
        names = [measure.name for measure in plan.measures]
        self._amount = names.index(amount) if amount in names else None
        self._matrices = [
            (grading, pair)
            for grading in plan.gradings
            if isinstance(grading, Matrix) and (pair := self._pair(grading)) is not None
        ]
        self.axes = {grading.name: pair for grading, pair in self._matrices}
        self.points: dict[str, list[Point]] = {}
        self.candidates: dict[str, list[Candidate]] = {}
        self._sample: dict[str, list[tuple[int, Point]]] = {name: [] for name in self.axes}
        self._close: dict[str, list[tuple[float, Candidate]]] = {
            grading.name: [] for grading in plan.gradings if grading.ladder.rungs
        }

    def look(self, customer_id: str, state: bytes, now_ms: int) -> int | None:
        """Take in one customer that stands under this plan; return what it brings in."""
        plan = self._plan
        customer = decode(customer_id, state, plan.shape)
        now_ms = max(now_ms, customer.clock_ms)
        self._scorer.wake_before(customer, now_ms + 1)
        customer.roll(now_ms)
        values = plan.read(customer, now_ms)
        reading = Reading(now_ms, values, [grade.tier for grade in customer.grades])
        for matrix, _ in self._matrices:
            self._place(customer_id, matrix, reading)
        for position, grading in enumerate(plan.gradings):
            if grading.name in self._close:
                self._approach(customer_id, grading, reading, customer.grades[position].tier)
        amount = None if self._amount is None else values[self._amount]
        return amount if isinstance(amount, int) and amount != MISSING else None

    def finish(self) -> None:
        """Settle `points` and `candidates`: nobody comes after this."""
        self.points = {
            name: [p for _, p in sorted(s)[:_POINTS]] for name, s in self._sample.items()
        }
        self.candidates = {
            name: [c for _, c in heapq.nsmallest(_CANDIDATES, close)]
            for name, close in self._close.items()
        }

    def _place(self, customer_id: str, grading: Matrix, reading: Reading) -> None:
        tier = reading.tiers[self._plan.shape.names.index(grading.name)]
        x = _coordinate(self._plan, grading.columns, reading)
        y = _coordinate(self._plan, grading.rows, reading)
        if tier is None or x is None or y is None:
            return
        sample = self._sample[grading.name]
        sample.append((_place_in_sample(customer_id), Point(customer_id, tier, x, y)))
        if len(sample) > 2 * _POINTS:
            sample.sort()
            del sample[_POINTS:]

    def _approach(
        self, customer_id: str, grading: Grading, reading: Reading, tier: str | None
    ) -> None:
        found = standing_of(self._plan, grading, reading, tier)
        if found is None or tier is None or found.better is None or found.missing is None:
            return
        to, enter = found.better
        if found.missing <= 0:
            return  # earned, and held back by a rule on stability
        close = self._close[grading.name]
        candidate = Candidate(
            customer_id,
            grading.name,
            tier,
            to,
            found.level,
            found.missing,
            enter,
            found.unit,
            found.places,
        )
        close.append((found.missing / max(enter, 1), candidate))
        if len(close) > 2 * _CANDIDATES:
            close[:] = heapq.nsmallest(_CANDIDATES, close)

    def _pair(self, grading: Matrix) -> tuple[AxisNote, AxisNote] | None:
        columns, rows = self._axis(grading.columns), self._axis(grading.rows)
        return None if columns is None or rows is None else (columns, rows)

    def _axis(self, axis: object) -> AxisNote | None:
        plan = self._plan
        if isinstance(axis, LevelAxis):
            measure = plan.measures[axis.measure]
            numbers = measure.unit not in {"text", "stage"}
            return AxisNote(measure.name, measure.unit, 0, axis.levels) if numbers else None
        return _tier_axis(plan, axis) if isinstance(axis, TierAxis) else None


def _tier_axis(plan: Plan, axis: TierAxis) -> AxisNote | None:
    """Return what an axis by the tiers of a grading shows; None where those have no levels."""
    grading = plan.gradings[axis.grading]
    enters = tuple(sorted(rung.enter for rung in grading.ladder.rungs if rung.enter is not None))
    if isinstance(grading, Scorecard):
        return AxisNote(grading.name, POINTS, grading.places, enters)
    if isinstance(grading, Bands):
        measure = plan.measures[grading.measure]
        return AxisNote(grading.name, measure.unit, 0, enters)
    return None


def _coordinate(plan: Plan, axis: object, reading: Reading) -> int | None:
    if isinstance(axis, LevelAxis):
        value = reading.values[axis.measure]
        return value if isinstance(value, int) and value != MISSING else None
    if isinstance(axis, TierAxis):
        level = plan.gradings[axis.grading].level(reading)
        return None if level is None else level.value
    return None


def _place_in_sample(customer_id: str) -> int:
    return int.from_bytes(blake2b(customer_id.encode(), digest_size=_HASH_BYTES).digest())
