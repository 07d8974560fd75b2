"""Why a customer stands where they stand, as values. Pure: no files, no store, no words."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.customer import decode
from stream.fold import Scorer
from stream.gradings.bands import Bands
from stream.gradings.base import Reading
from stream.gradings.scorecard import Scorecard
from stream.sentinels import MISSING, NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.changes import Change
    from stream.customer import Customer, Grade, Value
    from stream.gradings.base import Grading, Score
    from stream.gradings.ladder import Ladder
    from stream.plan import Plan

POINTS = "points"
_MOST_WAKES = 500


@dataclass(frozen=True, slots=True)
class Reach:
    """A measure, and the range around its reading inside which a grading does not care.

    Attributes:
        low: Least reading of the range; None where it has no lower end.
        high: First reading above the range; None where it has no upper end.
    """

    measure: str
    unit: str
    value: Value | None
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a customer stands on a ladder of tiers.

    Attributes:
        unit: Of the levels: of a measure, or ``points``.
        places: Decimal places of the levels that are not minor units; 0 but for points.
        level: What the tier is judged by now.
        better: Next better tier and the level that earns it; None at the top.
        missing: What is missing to it.
        exit: Least level that keeps the tier; None on the floor.
        margin: How much the level may fall and still keep it.
    """

    unit: str
    places: int
    level: int
    better: tuple[str, int] | None
    missing: int | None
    exit: int | None
    margin: int | None


@dataclass(frozen=True, slots=True)
class GradingNote:
    """One grading of one customer.

    Attributes:
        tier: None while not graded.
        since_ms: Instant of the last change; None before the first.
        sequence: Changes so far.
        score: The score behind the tier, for scorecards.
        reaches: Each measure that the grading looks at, in the order of the policy.
        gradings: Each grading it looks at, with its tier.
        standing: For bands and scorecards that have a level.
        evidence: Measure and least reading that are wanted before anything is graded.
        expected: The first change that time alone will bring; None if there is none in sight.
    """

    grading: str
    tier: str | None
    since_ms: int | None
    sequence: int
    score: Score | None
    reaches: tuple[Reach, ...]
    gradings: tuple[tuple[str, str | None], ...]
    standing: Standing | None
    evidence: tuple[Reach, int] | None
    expected: Change | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """One customer at one instant.

    Attributes:
        as_of_ms: The instant.
        clock_ms: When the customer was last looked at.
        measures: Every measure's unit and reading, in the order of the policy.
        gradings: Every grading, in the order in which they are evaluated.
        deadline_ms: When time alone may next change something; None if it cannot.
    """

    customer_id: str
    as_of_ms: int
    clock_ms: int
    measures: tuple[tuple[str, str, Value | None], ...]
    gradings: tuple[GradingNote, ...]
    deadline_ms: int | None


def explain(customer_id: str, state: bytes, plan: Plan, as_of_ms: int) -> Explanation:
    """Explain the customer whose stored form is *state*.

    Args:
        customer_id: Whom.
        state: As stored.
        plan: The policy.
        as_of_ms: Read measures at this instant; the customer's clock if that is later.
    """
    customer = decode(customer_id, state, plan.shape)
    expected = _expected(decode(customer_id, state, plan.shape), plan)
    clock_ms = customer.clock_ms
    now_ms = max(as_of_ms, clock_ms)
    customer.roll(now_ms)
    values = plan.read(customer, now_ms)
    reading = Reading(now_ms, values, [grade.tier for grade in customer.grades])
    return Explanation(
        customer_id=customer_id,
        as_of_ms=now_ms,
        clock_ms=clock_ms,
        measures=tuple(
            (measure.name, measure.unit, _known(value))
            for measure, value in zip(plan.measures, values, strict=True)
        ),
        gradings=tuple(
            _note(plan, position, reading, grade, expected.get(plan.gradings[position].name))
            for position, grade in enumerate(customer.grades)
        ),
        deadline_ms=None if customer.due_ms >= NEVER else customer.due_ms,
    )


def _note(
    plan: Plan, position: int, reading: Reading, grade: Grade, expected: Change | None
) -> GradingNote:
    grading = plan.gradings[position]
    evidence = plan.evidence[position]
    cuts = grading.cuts_for(reading.values)
    return GradingNote(
        grading=grading.name,
        tier=grade.tier,
        since_ms=grade.since_ms if grade.sequence else None,
        sequence=grade.sequence,
        score=grading.score(reading),
        reaches=tuple(
            _reach(plan, measure, reading.values, cuts.get(measure, ()))
            for measure in sorted({*cuts, *grading.continuous})
        ),
        gradings=tuple((plan.gradings[i].name, reading.tiers[i]) for i in grading.depends),
        standing=_standing(plan, grading, reading, grade),
        evidence=None
        if evidence is None
        else (_reach(plan, evidence[0], reading.values, evidence[1:]), evidence[1]),
        expected=expected,
    )


def _reach(plan: Plan, position: int, values: Sequence[Value], cuts: Sequence[int]) -> Reach:
    measure, value = plan.measures[position], values[position]
    low = high = None
    if isinstance(value, int) and value != MISSING:
        cell = bisect_right(cuts, value)
        low = cuts[cell - 1] if cell and cuts[cell - 1] > MISSING + 1 else None
        high = cuts[cell] if cell < len(cuts) else None
    return Reach(measure.name, measure.unit, _known(value), low, high)


def _standing(plan: Plan, grading: Grading, reading: Reading, grade: Grade) -> Standing | None:
    if isinstance(grading, Bands):
        measure = plan.measures[grading.measure]
        level = reading.values[grading.measure]
        if grade.tier is None or not isinstance(level, int) or level == MISSING:
            return None
        return _on_ladder(grading.ladder, grade.tier, measure.unit, 0, level)
    if isinstance(grading, Scorecard) and grade.tier is not None:
        level = int(grading.score(reading).value * 10**grading.places)
        return _on_ladder(grading.ladder, grade.tier, POINTS, grading.places, level)
    return None


def _on_ladder(ladder: Ladder, tier: str, unit: str, places: int, level: int) -> Standing:
    index = ladder.tiers.index(tier)
    better, enter = ladder.rungs[index - 1] if index else None, None
    if better is not None:
        enter = better.enter
    leave = ladder.rungs[index].exit
    return Standing(
        unit=unit,
        places=places,
        level=level,
        better=None if better is None or enter is None else (better.tier, enter),
        missing=None if enter is None else enter - level,
        exit=leave,
        margin=None if leave is None else level - leave,
    )


def _expected(customer: Customer, plan: Plan) -> dict[str, Change]:
    """Let time pass for a copy of the customer: the first change of each grading, if any."""
    scorer = Scorer(plan)
    found: dict[str, Change] = {}
    for _ in range(_MOST_WAKES):
        if customer.due_ms >= NEVER or len(found) == len(plan.gradings):
            break
        for change in scorer.wake(customer, customer.due_ms):
            found.setdefault(change.grading, change)
    return found


def _known(value: Value) -> Value | None:
    return None if value == MISSING else value


def exact_level(level: int, places: int) -> str:
    """Return a level of points as a decimal.

    >>> exact_level(7866, 2), exact_level(80, 0), exact_level(8000, 2)
    ('78.66', '80', '80.00')
    """
    whole, rest = divmod(abs(level), 10**places)
    sign = "-" if level < 0 else ""
    return f"{sign}{whole}.{rest:0{places}d}" if places else f"{sign}{whole}"
