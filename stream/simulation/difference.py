"""Why a customer ends in another tier: readings, levels and points that differ between policies."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from stream.decimals import exact_text
from stream.gradings.base import Reading, Score
from stream.gradings.scorecard import Scorecard
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.customer import Customer, Value
    from stream.plan import Plan

MEASURE, POINTS, SCORE, GRADING, PAST = "measure", "points", "score", "grading", "past"
_NONE = Fraction(0)


class Range(NamedTuple):
    """Readings from *low* up to, not including, *high* are treated alike; None: no end."""

    low: Value | None
    high: Value | None


class Difference(NamedTuple):
    """One thing that the two policies see or judge differently.

    Attributes:
        kind: ``measure``, ``points`` (of a condition), ``score``, ``grading`` (another one,
            looked at) or ``past``: the same readings and levels, but another tier held before,
            which it keeps.
        name: Of the measure or grading.
        unit: Of the readings; ``points`` for a score, ``tier`` for a grading.
        old: Reading under the old policy; None where unknown or not looked at.
        new: Reading under the new one.
        old_range: Readings that the old policy treats alike; None where it does not look.
        new_range: The same of the new one.
        old_points: What the reading adds to the score under the old policy, if there is one.
        new_points: The same of the new one.
    """

    kind: str
    name: str
    unit: str
    old: Value | None
    new: Value | None
    old_range: Range | None = None
    new_range: Range | None = None
    old_points: str | None = None
    new_points: str | None = None


class View:
    """One customer in one grading of one policy, at the end.

    Attributes:
        grading: The grading.
        ranges: By name of each measure looked at: its reading, its unit and its range.
        points: By name of measure or condition: what it adds to the score; empty where
            there is none.
        score: The score, None where there is none.
        seen: Tiers of the gradings looked at, by name.
    """

    def __init__(self, plan: Plan, position: int, customer: Customer, now_ms: int) -> None:
        """Look at a customer whose clock is not after *now_ms*."""
        customer.roll(now_ms)
        values = plan.read(customer, now_ms)
        tiers = [grade.tier for grade in customer.grades]
        self.grading = plan.gradings[position]
        self.score = self.grading.score(Reading(now_ms, values, tiers))
        self.seen = {plan.gradings[i].name: tiers[i] for i in self.grading.depends}
        self.ranges: dict[str, tuple[Value | None, str, Range]] = {}
        evidence = plan.evidence[position]
        for index in {*plan.inputs[position], *([] if evidence is None else [evidence[0]])}:
            measure, value = plan.measures[index], values[index]
            cuts = set(self.grading.cuts_for(values).get(index, ()))
            if evidence is not None and evidence[0] == index:
                cuts.add(evidence[1])
            known = None if value == MISSING else value
            found = _range(sorted(cuts), value) if isinstance(value, int) else Range(None, None)
            self.ranges[measure.name] = known, measure.unit, found
        self.points = _points(plan, self.score)
        self.order = [m.name for m in plan.measures if m.name in self.ranges]


def _range(cuts: list[int], value: int) -> Range:
    cell = bisect_right(cuts, value)
    low = cuts[cell - 1] if cell else None
    if low is not None and low <= MISSING + 1:
        low = None  # the level above which a reading is known at all
    return Range(low, cuts[cell] if cell < len(cuts) else None)


def _points(plan: Plan, score: Score | None) -> dict[str, Fraction]:
    points: dict[str, Fraction] = {}
    for part in () if score is None else score.parts:
        name = part.indicator if part.measure is None else plan.measures[part.measure].name
        points[name] = points.get(name, Fraction(0)) + part.contribution
    return points


def differences(old: View, new: View) -> tuple[Difference, ...]:
    """Return what may have made the difference between the tiers of one customer, never nothing.

    Measures come by the order of the new policy, or by how many points they moved.
    """
    found = [*_scores(old, new), *_measures(old, new), *_gradings(old, new)]
    return tuple(found) or (Difference(PAST, new.grading.name, "tier", None, None),)


def _scores(old: View, new: View) -> Iterator[Difference]:
    if old.score is None and new.score is None:
        return
    values = [None if v.score is None else exact_text(v.score.value) for v in (old, new)]
    ranges = [_score_range(old), _score_range(new)]
    if values[0] != values[1] or ranges[0] != ranges[1]:
        name = new.grading.name
        yield Difference(SCORE, name, "points", values[0], values[1], ranges[0], ranges[1])


def _score_range(view: View) -> Range | None:
    grading, score = view.grading, view.score
    if score is None or not isinstance(grading, Scorecard):
        return None
    unit = 10**grading.places
    low, high = _range(sorted(set(grading.ladder.levels())), int(score.value * unit))
    return Range(*(None if end is None else _in_points(end, unit) for end in (low, high)))


def _in_points(level: Value, unit: int) -> str:
    return exact_text(Fraction(int(level), unit))


def _measures(old: View, new: View) -> Iterator[Difference]:
    names = list(dict.fromkeys([*new.order, *old.order, *new.points, *old.points]))
    if old.points and new.points:
        moved = {n: abs(new.points.get(n, _NONE) - old.points.get(n, _NONE)) for n in names}
        names = sorted((n for n in names if moved[n] != 0), key=lambda n: -moved[n])
    for name in names:
        before, after = old.ranges.get(name), new.ranges.get(name)
        if before == after and name not in old.points:
            continue
        unit = (after or before or (None, ""))[1]
        yield Difference(
            MEASURE if before or after else POINTS,
            name,
            unit,
            None if before is None else before[0],
            None if after is None else after[0],
            None if before is None else before[2],
            None if after is None else after[2],
            exact_text(old.points[name]) if name in old.points else None,
            exact_text(new.points[name]) if name in new.points else None,
        )


def _gradings(old: View, new: View) -> Iterator[Difference]:
    for name in dict.fromkeys([*new.seen, *old.seen]):
        before, after = old.seen.get(name), new.seen.get(name)
        if before != after:
            yield Difference(GRADING, name, "tier", before, after)
