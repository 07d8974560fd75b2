"""Does one more order, paid now, ever lower a tier? Proved by looking at every single step.

A step moves one measure from one cell to another in a direction in which an order can move
it, everything else as it was. If no step makes any tier worse, from any standing, then no
order does, whatever it moves at once. Steps that no customer can take are looked at too, so
what is not proved may still be true: `stream.proofs.histories` then looks for an example.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, cast

from stream.customer import Grade
from stream.gradings.base import Grading, Reading, merged
from stream.gradings.scorecard import Scorecard
from stream.proofs.cells import Cell, cells
from stream.proofs.judge import NOW_MS, Judge, Standing
from stream.proofs.moves import Move, move_of, steps
from stream.proofs.scores import points
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.customer import Value
    from stream.proofs.case import Case

GRADES = 60_000
"""How many grades may be asked for in one proof."""

Combination = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of "more orders never lower the tier" for one grading.

    Attributes:
        proved: Whether it holds for every customer.
        steady: Whether orders do not move it at all.
        suspect: What may lower it: the name of a measure or of another grading; "" where the
            proof was too long.
    """

    proved: bool
    steady: bool = False
    suspect: str = ""


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that a grading looks at, and how an order may move it.

    Attributes:
        name: Of the measure or of the grading.
        values: What it may say; neighbours of a number are one value for a whole cell.
        steps: From value to value, by place.
        measure: Position of the measure, None for a grading.
        grading: Position of the grading, None for a measure.
    """

    name: str
    values: tuple[Value | None, ...]
    steps: tuple[tuple[int, int], ...]
    measure: int | None = None
    grading: int | None = None


def rank(grading: Grading, tier: str | None) -> float:
    """Return how good a tier is; not being graded is worse than any.

    Only for gradings whose tiers have an order.
    """
    place = None if tier is None else grading.rank(tier)
    return float("-inf") if place is None else place


def ordered(grading: Grading) -> bool:
    """Say whether the tiers of a grading are better and worse."""
    return all(grading.rank(tier) is not None for tier in grading.tiers)


class Monotony:
    """Proves what it can about the gradings of one policy, each after those it depends on."""

    def __init__(self, case: Case) -> None:
        """Start with nothing proved."""
        self._case = case
        self._judge = Judge(case.plan)
        self.verdicts: list[Verdict] = []

    def prove(self) -> list[Verdict]:
        """Return a verdict for every grading, in the order of the plan."""
        for position in range(len(self._case.plan.gradings)):
            self.verdicts.append(self._prove(position))
        return self.verdicts

    def _prove(self, position: int) -> Verdict:
        grading = self._case.plan.gradings[position]
        if self._judge.blank(position):
            return Verdict(proved=False)
        axes = [*self._measures(position), *self._gradings(position)]
        if not any(axis.steps for axis in axes) and not grading.continuous:
            return Verdict(proved=True, steady=True)
        if not ordered(grading):
            return Verdict(proved=False)
        if type(grading) is Scorecard:
            return self._scorecard(position, grading)
        if grading.continuous or prod(len(axis.values) for axis in axes) > GRADES:
            return Verdict(proved=False)
        suspect = self._worse(position, axes)
        return Verdict(proved=suspect is None, suspect=suspect or "")

    # -- what it looks at -----------------------------------------------------

    def _measures(self, position: int) -> Iterator[Axis]:
        plan = self._case.plan
        evidence = plan.evidence[position]
        own = {} if evidence is None else {evidence[0]: (evidence[1],)}
        for measure, cuts in merged(plan.gradings[position].cuts, own).items():
            move, found = self._move(measure), self._cells(measure, cuts)
            name = plan.measures[measure].name
            values = tuple(cell.start for cell in found)
            yield Axis(name, values, tuple(steps(move, found)), measure)

    def _move(self, measure: int) -> Move:
        compiled = self._case.plan.measures[measure]
        return move_of(self._case.document.measures[compiled.name], compiled)

    def _cells(self, measure: int, cuts: Sequence[int]) -> tuple[Cell, ...]:
        return cells(self._case.traits[measure].domain, cuts)

    def _gradings(self, position: int) -> Iterator[Axis]:
        plan = self._case.plan
        for other in plan.gradings[position].depends:
            grading, verdict = plan.gradings[other], self.verdicts[other]
            values: tuple[str | None, ...] = (None, *grading.tiers)
            places = range(len(values))
            if verdict.steady:
                found: tuple[tuple[int, int], ...] = ()
            elif verdict.proved:
                ranks = [rank(grading, tier) for tier in values]
                found = tuple((a, b) for a, b in product(places, places) if ranks[a] < ranks[b])
            else:
                found = tuple((a, b) for a, b in product(places, places) if a != b)
            yield Axis(grading.name, values, found, grading=other)

    # -- scorecards, however many measures they have ---------------------------

    def _scorecard(self, position: int, card: Scorecard) -> Verdict:
        """Look at each measure by itself: points are added up, and more points are never worse."""
        plan = self._case.plan
        for found in points(card, self._case.traits):
            for measure, ranges in found.items():
                for before, after in steps(self._move(measure), [cell for cell, _ in ranges]):
                    if ranges[after][1] < ranges[before][1]:
                        return Verdict(proved=False, suspect=plan.measures[measure].name)
        evidence = plan.evidence[position]
        if evidence is not None:
            ends = self._cells(evidence[0], (evidence[1],))
            for before, after in steps(self._move(evidence[0]), ends):
                if ends[after].low < evidence[1] <= ends[before].low:
                    return Verdict(proved=False, suspect=plan.measures[evidence[0]].name)
        return Verdict(proved=True)

    # -- any other grading ----------------------------------------------------

    def _worse(self, position: int, axes: Sequence[Axis]) -> str | None:
        """Return what can make a tier worse, None where nothing can; "" where it took too long."""
        grading = self._case.plan.gradings[position]
        places = list(product(*(range(len(axis.values)) for axis in axes)))
        initial = self._judge.initial(position)
        for number, standing in enumerate(
            [initial, *self._judge.standings(position, grading.tiers)[1:]], start=1
        ):
            spy = Standing(standing)
            tiers = {place: self._tier(position, axes, place, spy) for place in places}
            suspect = _falls(grading, axes, tiers)
            if suspect is not None or not spy.touched:
                return suspect
            if any(
                rank(grading, self._tier(position, axes, place, Standing(Grade(tier, 1))))
                < rank(grading, tier)
                for place, tier in tiers.items()
                if tier is not None
            ):
                return grading.name
            if number * len(places) > GRADES:
                return ""
        return None

    def _tier(
        self, position: int, axes: Sequence[Axis], place: Combination, standing: Standing
    ) -> str | None:
        values: list[Value] = [MISSING] * len(self._case.plan.measures)
        tiers: list[str | None] = [None] * len(self._case.plan.gradings)
        for axis, choice in zip(axes, place, strict=True):
            if axis.measure is not None:
                values[axis.measure] = cast("Value", axis.values[choice])
            elif axis.grading is not None:
                tiers[axis.grading] = cast("str | None", axis.values[choice])
        return self._judge.tier(position, Reading(NOW_MS, values, tiers), standing)


def _falls(
    grading: Grading, axes: Sequence[Axis], tiers: dict[Combination, str | None]
) -> str | None:
    """Return the first axis with a step that makes a tier worse."""
    ranks = {place: rank(grading, tier) for place, tier in tiers.items()}
    for number, axis in enumerate(axes):
        onward: dict[int, list[int]] = {}
        for before, after in axis.steps:
            onward.setdefault(before, []).append(after)
        for place, stood in ranks.items():
            for after in onward.get(place[number], ()):
                if ranks[(*place[:number], after, *place[number + 1 :])] < stood:
                    return axis.name
    return None
