"""Everything that can be said of one customer at one instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.counterfactual import WhatIf, least_orders, least_refund
from stream.customer import decode
from stream.explanation.place import Place, places_of
from stream.explanation.reach import Reach, reach
from stream.explanation.standing import Standing, standing_of
from stream.fold import TerseScorer
from stream.forecast.outlook import outlooks
from stream.gradings.base import Reading
from stream.moves import moves
from stream.sentinels import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.counterfactual import Amount
    from stream.customer import Grade, Value
    from stream.explanation.place import Order
    from stream.forecast.outlook import Outlook
    from stream.gradings.base import Grading, Score, Step
    from stream.moves import Moves
    from stream.plan import Plan
    from stream.stability import Held


@dataclass(frozen=True, slots=True)
class GradingNote:
    """One grading of one customer.

    Attributes:
        tier: None while not graded.
        since_ms: Instant of the last change; None before the first.
        sequence: Changes so far.
        decided_by: The rule of the policy that gave the tier; None where there is but one way.
        path: The turns that led to it, for decision trees.
        score: The score behind the tier, for scorecards.
        reaches: Each measure that the grading looks at, in the order of the policy.
        gradings: Each grading it looks at, with its tier.
        standing: Where the tier stands on its ladder, if it has one.
        evidence: Measure and least reading that are wanted before anything is graded.
        moves: How far one measure alone would have to move.
        orders: The fewest orders now, and their least amount, that earn a better tier.
        refund: The least refund of the newest day's orders that costs the tier.
        earned: The tier that is earned; another than `tier` while a rule or a pin holds it.
        held: What rules on stability and pins have done; None where they never did anything.
        outlook: The next change that time alone will bring, and what would prevent it.
        places: Where each reading lies that the population sets levels for.
    """

    grading: str
    tier: str | None
    since_ms: int | None
    sequence: int
    decided_by: str | None
    path: tuple[Step, ...]
    score: Score | None
    reaches: tuple[Reach, ...]
    gradings: tuple[tuple[str, str | None], ...]
    standing: Standing | None
    evidence: tuple[Reach, int] | None
    moves: Moves
    orders: Amount | None
    refund: Amount | None
    earned: str | None
    held: Held | None
    outlook: Outlook
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One customer at one instant.

    Attributes:
        as_of_ms: The instant.
        clock_ms: When something last happened to the customer.
        measures: Every measure's name, unit and reading, in the order of the policy.
        gradings: Every grading, in the order in which they are evaluated.
        deadline_ms: When time alone may next change something; None if it cannot.
    """

    customer_id: str
    as_of_ms: int
    clock_ms: int
    measures: tuple[tuple[str, str, Value | None], ...]
    gradings: tuple[GradingNote, ...]
    deadline_ms: int | None


def explain(
    customer_id: str, state: bytes, plan: Plan, as_of_ms: int, order: Order | None = None
) -> Explanation:
    """Explain the customer whose stored form is *state*.

    Args:
        customer_id: Whom.
        state: As stored.
        plan: The policy.
        as_of_ms: Let time pass up to this instant, and explain that; the customer's clock
            if that is later.
        order: Everyone's readings, for ranks; None where they are not known.
    """
    scorer = TerseScorer(plan)
    customer = decode(customer_id, state, plan.shape)
    clock_ms = customer.clock_ms
    now_ms = max(as_of_ms, clock_ms)
    scorer.wake_before(customer, now_ms + 1)
    customer.roll(now_ms)
    deadline_ms = None if customer.due_ms >= NEVER else customer.due_ms
    values = plan.read(customer, now_ms)
    reading = Reading(now_ms, values, [grade.tier for grade in customer.grades])
    what_if = WhatIf(scorer, customer, now_ms)
    among = None if customer.withheld else order
    ahead = outlooks(scorer, customer, now_ms)
    return Explanation(
        customer_id=customer_id,
        as_of_ms=now_ms,
        clock_ms=clock_ms,
        measures=tuple(
            (measure.name, measure.unit, measure.told(value))
            for measure, value in zip(plan.measures, values, strict=True)
        ),
        gradings=tuple(
            _note(what_if, position, reading, customer.grades, outlook, among)
            for position, outlook in enumerate(ahead)
        ),
        deadline_ms=deadline_ms,
    )


def _note(
    what_if: WhatIf,
    position: int,
    reading: Reading,
    grades: Sequence[Grade],
    outlook: Outlook,
    order: Order | None,
) -> GradingNote:
    plan = what_if.scorer.plan
    grading, grade = plan.gradings[position], grades[position]
    evidence = plan.evidence[position]
    cuts = grading.cuts_for(reading.values)
    return GradingNote(
        grading=grading.name,
        tier=grade.tier,
        since_ms=grade.since_ms if grade.sequence else None,
        sequence=grade.sequence,
        decided_by=_decided_by(grading, reading, grade),
        path=grading.path(reading),
        score=grading.score(reading),
        reaches=tuple(
            reach(plan, measure, reading.values, cuts.get(measure, ()))
            for measure in sorted({*cuts, *grading.continuous})
        ),
        gradings=tuple((plan.gradings[i].name, reading.tiers[i]) for i in grading.depends),
        standing=standing_of(plan, grading, reading, grade.tier),
        evidence=None
        if evidence is None
        else (reach(plan, evidence[0], reading.values, evidence[1:]), evidence[1]),
        moves=moves(plan, position, reading, grades),
        orders=least_orders(what_if, position, grade.tier),
        refund=least_refund(what_if, position, grade.tier),
        earned=plan.earned(position, reading, grade),
        held=grade.held,
        outlook=outlook,
        places=tuple(places_of(plan, grading.name, reading.values, order)),
    )


def _decided_by(grading: Grading, reading: Reading, grade: Grade) -> str | None:
    if grade.tier is None:
        return None
    kept = grading.expires and reading.now_ms < grade.kept_until_ms < NEVER
    return grading.decided_by(reading) or ("keep_days" if kept else None)
