"""Why a tier changed: readings that crossed a cut, cuts that passed a reading, other gradings."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from stream.changes import POLICY_UNIT, Reason
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.customer import Value
    from stream.gradings.base import Reading
    from stream.plan import Plan


def reasons_for(
    plan: Plan,
    position: int,
    before: Sequence[Value],
    old_tiers: Sequence[str | None],
    reading: Reading,
) -> tuple[Reason, ...]:
    """Return the measures that moved across a cut of a grading, and gradings that changed.

    For a first grade every measure that moved is named: there was no side to be on before.

    Args:
        plan: The policy.
        position: Of the grading that changed.
        before: Readings just before the instant.
        old_tiers: Tiers just before the instant.
        reading: Readings and new tiers at the instant.
    """
    grading = plan.gradings[position]
    first = old_tiers[position] is None
    found = []
    for index in plan.inputs[position]:
        old, new = before[index], reading.values[index]
        if old == new:
            continue
        boundary = None
        if isinstance(old, int) and isinstance(new, int):
            boundary = grading.boundary(index, old, new, reading.values)
            if boundary is None and not first and index not in grading.continuous:
                continue
        measure = plan.measures[index]
        unit = measure.told_unit
        told = boundary is not None and boundary > MISSING + 1 and unit == measure.unit
        known = boundary if told else None
        segment = grading.segment(reading.values)
        readings = measure.told(old), measure.told(new)
        found.append(Reason(measure.name, unit, *readings, known, segment=segment))
    found += _followed(plan, position, old_tiers, reading)
    return tuple(found)


def _followed(
    plan: Plan, position: int, old_tiers: Sequence[str | None], reading: Reading
) -> list[Reason]:
    """Return the gradings that changed, of those that a grading looks at."""
    return [
        Reason(plan.gradings[other].name, "tier", old_tiers[other], reading.tiers[other], None)
        for other in plan.gradings[position].depends
        if old_tiers[other] != reading.tiers[other]
    ]


def moved_reasons(
    older: Plan,
    plan: Plan,
    position: int,
    old_tiers: Sequence[str | None],
    reading: Reading,
) -> tuple[Reason, ...]:
    """Return why a grading gives another tier under *plan* than under *older*.

    A change of policy is named first, by its versions. Then the measures whose reading stands
    on the other side of a cut that has moved, with the cut as it was; then gradings that
    changed.

    Args:
        older: The policy, or the boundaries, before.
        plan: Those in force now.
        position: In *plan*, of the grading that changed.
        old_tiers: Tiers just before the instant.
        reading: Readings and new tiers at the instant.
    """
    found = []
    if (older.name, older.version) != (plan.name, plan.version):
        found.append(Reason(plan.name, POLICY_UNIT, older.version, plan.version, None))
    for index, old_cut, new_cut in _moved_cuts(older, plan, position, reading.values):
        measure = plan.measures[index]
        told = measure.told_unit == measure.unit and min(old_cut, new_cut) > MISSING + 1
        value = measure.told(reading.values[index])
        now, before = (new_cut, old_cut) if told else (None, None)
        segment = plan.gradings[position].segment(reading.values)
        unit = measure.told_unit
        found.append(Reason(measure.name, unit, value, value, now, before, segment))
    found += _followed(plan, position, old_tiers, reading)
    return tuple(found)


def _moved_cuts(
    older: Plan, plan: Plan, position: int, values: Sequence[Value]
) -> Iterator[tuple[int, int, int]]:
    """Yield ``(measure, cut before, cut now)`` where a reading's side of a cut is another now."""
    grading = plan.gradings[position]
    readings = {m.name: value for m, value in zip(plan.measures, values, strict=True)}
    same = [readings.get(measure.name, MISSING) for measure in older.measures]
    graded = next((one for one in older.gradings if one.name == grading.name), None)
    before = {} if graded is None else graded.cuts_for(same)
    known = {measure.name: i for i, measure in enumerate(older.measures)}
    for index in plan.inputs[position]:
        value = values[index]
        pairs = _levels_before_and_now(older, plan, position, index, values) or [
            (
                before.get(known.get(plan.measures[index].name, -1), ()),
                grading.cuts_for(values).get(index, ()),
            )
        ]
        for old_cuts, new_cuts in pairs:
            if not isinstance(value, int) or value == MISSING or len(old_cuts) != len(new_cuts):
                continue
            low, high = bisect_right(old_cuts, value), bisect_right(new_cuts, value)
            if low != high:
                crossed = high - 1 if high > low else high
                yield index, old_cuts[crossed], new_cuts[crossed]


def _levels_before_and_now(
    older: Plan, plan: Plan, position: int, measure: int, values: Sequence[Value]
) -> list[tuple[Sequence[int], Sequence[int]]]:
    """Return the levels of each cut that the population sets for a measure of a grading.

    Those of the customer's own segment. Level by level: of several that are equal the grading
    itself keeps one.
    """
    grading = plan.gradings[position].name
    return [
        (older.cuts.get(name, ()), plan.cuts.get(name, ()))
        for ranking in plan.rankings
        if ranking.measure == measure and ranking.holds(values)
        for name, cut in ranking.cuts.items()
        if cut.grading == grading
    ]
