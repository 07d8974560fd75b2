"""How far one measure alone would have to move for a tier to change.

Nothing else moves meanwhile: whether an order can do that is asked in `stream.counterfactual`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.vocabulary import STAGES
from stream.regrade import betters, cuts_of, deciding, earned, worsens
from stream.sentinels import MISSING, NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from stream.customer import Grade, Value
    from stream.gradings.base import Reading
    from stream.plan import Plan

_FARTHEST = 50
_NEVER_BELOW_ZERO = frozenset({"count", "days"})


@dataclass(frozen=True, slots=True)
class Move:
    """One measure that alone would change a tier.

    Attributes:
        measure: Its name.
        unit: Of the readings.
        value: Reading now; None while unknown.
        level: The nearest reading that changes the tier. One nearer to `value` does not.
        tier: What the tier would be; None: not graded.
    """

    measure: str
    unit: str
    value: Value | None
    level: Value | None
    tier: str | None


@dataclass(frozen=True, slots=True)
class Moves:
    """The nearest single moves of one grading: one each way for each measure, or one for each text.

    Attributes:
        ordered: Whether tiers have an order, so that there is better and worse.
        better: To a better tier (where tiers have no order: to another).
        worse: To a worse one; empty where tiers have no order.
    """

    ordered: bool
    better: tuple[Move, ...]
    worse: tuple[Move, ...]


def moves(plan: Plan, position: int, reading: Reading, grades: Sequence[Grade]) -> Moves:
    """Return how one measure alone would change what the grading at *position* gives.

    Whether that would stand at once is for the rules on stability to say.
    """
    now = earned(plan, position, reading.values, grades, reading.now_ms)
    grading = plan.gradings[position]
    ordered = grading.rank(grading.tiers[0]) is not None
    better: list[Move] = []
    worse: list[Move] = []
    for index in deciding(plan, position):
        measure, value = plan.measures[index], reading.values[index]
        values = list(reading.values)

        def tier(
            level: Value,
            values: list[Value] = values,
            index: int = index,
        ) -> str | None:
            values[index] = level
            return earned(plan, position, values, grades, reading.now_ms)

        def found(
            wanted: Callable[[Plan, int, str | None, str | None], bool],
            index: int = index,
            value: Value = value,
            tier: Callable[[Value], str | None] = tier,
        ) -> Iterator[tuple[Value, str | None]]:
            for path in _paths(plan, position, index, value):
                level = _first(path, lambda at: wanted(plan, position, now, tier(at)))
                if level is not None:
                    yield level, tier(level)

        for side, wanted in ((better, betters), *(((worse, worsens),) if ordered else ())):
            side += [
                Move(measure.name, measure.unit, measure.told(value), measure.told(level), to)
                for level, to in found(wanted)
            ]
    return Moves(ordered, tuple(better), tuple(worse))


def _first(path: Iterable[Value], wanted: Callable[[Value], bool]) -> Value | None:
    """Return the nearest reading of *path*, which leads away, that is *wanted*.

    Where two neighbours of the path lie apart, what is between them is searched as well.
    """
    last: Value | None = None
    for level in path:
        if wanted(level):
            if isinstance(level, int) and isinstance(last, int):
                return _nearest(last, level, wanted)
            return level
        last = level
    return None


def _nearest(far: int, near: int, wanted: Callable[[Value], bool]) -> int:
    """Return the reading next to one that is not wanted, between *far* (not) and *near* (is)."""
    while abs(near - far) > 1:
        middle = (far + near) // 2
        if wanted(middle):
            near = middle
        else:
            far = middle
    return near


def _paths(plan: Plan, position: int, index: int, value: Value) -> Iterator[Iterable[Value]]:
    """Yield the readings worth a look, upwards and downwards, each path from near to far."""
    measure = plan.measures[index]
    if measure.unit == "text":
        words = {w for grading in plan.gradings for w in grading.words.get(index, ())}
        yield from ([word] for word in sorted(words - {value}))
        return
    if measure.unit == "stage":
        yield from ([stage] for stage in range(len(STAGES)) if stage != value)
        return
    if not isinstance(value, int):
        return
    lowest = 0 if measure.unit in _NEVER_BELOW_ZERO else MISSING + 2
    cuts = [c for c in cuts_of(plan, position, index) if MISSING + 1 < c < NEVER]
    if value == MISSING:
        # Unknown: any reading may come next, and the least ones are the likeliest.
        yield sorted({0, *(c for c in cuts if c >= lowest), *(c - 1 for c in cuts if c > lowest)})
        return
    if any(index in grading.continuous for grading in plan.gradings):
        steps = [1 << step for step in range(_FARTHEST)]
        cuts = sorted({*cuts, *(value + s for s in steps), *(value - s + 1 for s in steps)})
    above = cuts[bisect_right(cuts, value) :]
    below = [cut - 1 for cut in reversed(cuts[: bisect_left(cuts, value + 1)])]
    yield [value, *above]
    yield [value, *(level for level in below if level >= lowest)]
