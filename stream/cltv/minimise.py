"""The minimum of a smooth function of a few variables, from its gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Point = Sequence[float]
    Function = Callable[[Point], tuple[float, Sequence[float]]]

_STEPS: Final = 300
_FLAT: Final = 1e-9
_STALLED: Final = 1e-6
_LONGEST: Final = 2.0
_DESCENT: Final = 1e-4
_HALVINGS: Final = 30


@dataclass(frozen=True, slots=True)
class Minimum:
    """Where a descent ended.

    Attributes:
        at: The point.
        value: Of the function there.
        steps: Taken.
        found: Whether the gradient is as good as nil; else there was no lower point to find,
            or the steps ran out.
    """

    at: tuple[float, ...]
    value: float
    steps: int
    found: bool


def minimise(
    function: Function, start: Point, after_step: Callable[[int], None] | None = None
) -> Minimum:
    """Descend from *start* by the method of Broyden, Fletcher, Goldfarb and Shanno.

    Args:
        function: Returns the value and the gradient; scaled so that values and variables are
            of the order of 1. An infinite value, or one that is no number, counts as too high.
        start: Where both are finite.
        after_step: Told the number of each step.

    Nocedal and Wright, Numerical Optimization (2006), algorithm 6.1, with the step halved
    until the value falls enough. No step is longer than 2, so that a flat start leads nowhere
    far. Deterministic.
    """
    at, (value, slope) = tuple(start), function(start)
    inverse = _identity(len(at))
    steps = 0
    while steps < _STEPS and max(map(abs, slope)) > _FLAT:
        direction = [-_dot(row, slope) for row in inverse]
        if _dot(direction, slope) >= 0:
            inverse = _identity(len(at))
            direction = [-s for s in slope]
        moved = _lower(function, at, value, slope, direction)
        if moved is None:
            break
        then, (new_value, new_slope) = moved
        step = [b - a for a, b in zip(at, then, strict=True)]
        turn = [b - a for a, b in zip(slope, new_slope, strict=True)]
        at, value, slope = then, new_value, new_slope
        _learn(inverse, step, turn)
        steps += 1
        if after_step is not None:
            after_step(steps)
    return Minimum(at, value, steps, found=max(map(abs, slope)) <= _STALLED)


def _lower(
    function: Function, at: Point, value: float, slope: Point, direction: Point
) -> tuple[tuple[float, ...], tuple[float, Point]] | None:
    """Return a point along *direction* where the function is low enough; None without one."""
    falls = _dot(direction, slope)
    length = math.sqrt(_dot(direction, direction))
    share = min(1.0, _LONGEST / length)
    for _ in range(_HALVINGS):
        then = tuple(a + share * d for a, d in zip(at, direction, strict=True))
        found = function(then)
        # The second test only differs where rounding hides what little the first one asks.
        if found[0] <= value + _DESCENT * share * falls and found[0] < value:
            return then, found
        share /= 2
    return None


def _learn(inverse: list[list[float]], step: Point, turn: Point) -> None:
    """Update the inverse of the second derivatives by how the gradient turned over a step."""
    bend = _dot(step, turn)
    if bend <= 0:
        return
    seen = [_dot(row, turn) for row in inverse]
    weight = (1 + _dot(seen, turn) / bend) / bend
    for i, row in enumerate(inverse):
        for j in range(len(row)):
            row[j] += weight * step[i] * step[j] - (seen[i] * step[j] + step[i] * seen[j]) / bend


def _dot(one: Point, other: Point) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def _identity(size: int) -> list[list[float]]:
    return [[float(i == j) for j in range(size)] for i in range(size)]
