"""Tier changes: what changed, why, and under which id. Pure; wire forms are plain dicts."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from typing import TYPE_CHECKING

from msgspec import Struct

from stream.calendar import format_instant
from stream.customer import Value
from stream.forecast.warning import Forecast
from stream.gradings.base import Score
from stream.sentinels import MISSING, NEVER
from stream.stability import Pin, Waiting
from stream.treatment import NO_TREATMENTS
from stream.way_back import WayBack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from fractions import Fraction

    from stream.forecast.warning import Prevention
    from stream.gradings.base import Grading, Reading
    from stream.measures import Measure
    from stream.plan import Plan
    from stream.treatment import Treatments

_ID_BYTES = 16
_SEPARATOR = "\x1f"
POLICY_UNIT = "policy"

ORDER = "order"
REFUND = "refund"
INTERACTION = "interaction"
PROFILE = "profile"
TIME = "time"
PINNED = "pinned"
REVIEW = "review"
POLICY_CHANGED = "policy_changed"
BOUNDARY_MOVED = "boundary_moved"
CONSENT = "consent"


class Cause(Struct, frozen=True, gc=False):
    """What set a change off.

    Attributes:
        kind: One of the constants of this module.
        event_id: Id of the event, or of the control that moved policy or boundaries; None
            where time passed.
        of_member: Whether it is another customer's event, of one that counts for this one.
    """

    kind: str
    event_id: str | None = None
    of_member: bool = False


TIME_PASSED = Cause(TIME)


class Reason(Struct, frozen=True, gc=False):
    """One measure (or other grading) that moved.

    Attributes:
        name: Of the measure, or of the grading that was looked at.
        unit: Unit of the measure; ``tier`` for a grading.
        before: Reading just before the instant of the change, None if there was none.
        after: Reading at that instant.
        boundary: Cut that was crossed last, in the measure's unit; None if none was.
        boundary_before: Where that cut was before, if it is the cut that has moved.
    """

    name: str
    unit: str
    before: Value | None
    after: Value | None
    boundary: int | None
    boundary_before: int | None = None

    @property
    def crossed(self) -> str | None:
        """Say on which side of the boundary the measure is now: ``above`` or ``below``."""
        if self.boundary is None:
            return None
        after = MISSING if self.after is None else self.after
        return "above" if after >= self.boundary else "below"  # type: ignore[operator]


class Change(Struct, frozen=True, gc=False):
    """One customer's change of tier in one grading.

    Attributes:
        before: The tier left, None for "not yet graded"; equals the `after` of the
            change with the preceding sequence number (the chain rule).
        sequence: 1, 2, 3 … per customer and grading.
        instant_ms: When it happened: the record's instant, or the exact instant at which
            time alone brought it about.
        counterfactual: Of a downgrade on a ladder: an order that would take it back.
        pin: The pin that brought it about, by its beginning or its end.
        waited: The rule that has held it back until now.
        forecast: The next change of the grading if nothing happens; None where the policy does
            not ask for it, or there is none in sight.
        erased_ms: When the customer was erased last, since when its sequences count anew; None
            if it never was.
    """

    customer_id: str
    grading: str
    before: str | None
    after: str | None
    direction: str
    sequence: int
    instant_ms: int
    cause: Cause
    reasons: tuple[Reason, ...]
    score: Score | None
    counterfactual: WayBack | None = None
    pin: Pin | None = None
    waited: Waiting | None = None
    forecast: Forecast | None = None
    erased_ms: int | None = None


def change_id(
    customer_id: str,
    grading: str,
    sequence: int,
    policy: str,
    version: int,
    erased_ms: int | None = None,
) -> str:
    """Return the id of a change: the same for the same change, whoever computes it.

    >>> change_id("c1", "value", 1, "cdnow", 1) == change_id("c1", "value", 1, "cdnow", 1)
    True
    """
    life = () if erased_ms is None else (str(erased_ms),)
    text = _SEPARATOR.join((customer_id, grading, str(sequence), policy, str(version), *life))
    return hashlib.blake2b(text.encode(), digest_size=_ID_BYTES).hexdigest()


def direction(grading: Grading, before: str | None, after: str | None) -> str:
    """Return ``first``, ``up``, ``down``, or ``lateral`` where tiers have no order."""
    if before is None:
        return "first"
    if after is None or before not in grading.tiers:  # a grade of another policy
        return "lateral"
    old, new = grading.rank(before), grading.rank(after)
    if old is None or new is None or old == new:
        return "lateral"
    return "up" if new > old else "down"


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
        found.append(Reason(measure.name, unit, measure.told(old), measure.told(new), known))
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
        levels = (new_cut, old_cut) if told else (None, None)
        found.append(Reason(measure.name, measure.told_unit, value, value, *levels))
    found += _followed(plan, position, old_tiers, reading)
    return tuple(found)


def _moved_cuts(
    older: Plan, plan: Plan, position: int, values: Sequence[Value]
) -> Iterator[tuple[int, int, int]]:
    """Yield ``(measure, cut before, cut now)`` where a reading's side of a cut is another now."""
    grading = plan.gradings[position]
    before = {one.name: one.cuts for one in older.gradings}.get(grading.name, {})
    known = {measure.name: i for i, measure in enumerate(older.measures)}
    for index in plan.inputs[position]:
        value = values[index]
        pairs = _levels_before_and_now(older, plan, position, index) or [
            (
                before.get(known.get(plan.measures[index].name, -1), ()),
                grading.cuts.get(index, ()),
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
    older: Plan, plan: Plan, position: int, measure: int
) -> list[tuple[Sequence[int], Sequence[int]]]:
    """Return the levels of each cut that the population sets for a measure of a grading.

    Level by level: of several that are equal the grading itself keeps one.
    """
    grading = plan.gradings[position].name
    return [
        (older.cuts.get(name, ()), plan.cuts.get(name, ()))
        for ranking in plan.rankings
        if ranking.measure == measure
        for name, cut in ranking.cuts.items()
        if name == f"{grading}.{cut.axis}"
    ]


def _known(value: Value) -> Value | None:
    return None if value == MISSING else value


def exact_text(number: Fraction) -> str:
    """Return *number* without loss: a decimal where one exists, else a fraction.

    >>> from fractions import Fraction
    >>> exact_text(Fraction(157, 2)), exact_text(Fraction(236, 3)), exact_text(Fraction(84))
    ('78.5', '236/3', '84')
    """
    denominator = number.denominator
    twos = fives = 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    if denominator != 1:
        return f"{number.numerator}/{number.denominator}"
    places = max(twos, fives)
    if not places:
        return str(number.numerator)
    digits = f"{abs(number.numerator) * 10**places // number.denominator:0{places + 1}d}"
    sign = "-" if number < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def change_payload(
    change: Change,
    measures: Sequence[Measure],
    policy: str,
    version: int,
    treatments: Treatments = NO_TREATMENTS,
    older: Treatments | None = None,
) -> dict[str, object]:
    """Return the published form of *change* (see `schemas.tier_changes`), keys in order.

    It speaks of treatment only where *treatments*, or where the policy changed the *older*
    ones, have something for its grading.
    """
    payload: dict[str, object] = {
        "id": change_id(
            change.customer_id,
            change.grading,
            change.sequence,
            policy,
            version,
            change.erased_ms,
        ),
        "customer_id": change.customer_id,
        "grading": change.grading,
        "from": change.before,
        "to": change.after,
        "direction": change.direction,
        "sequence": change.sequence,
        "instant": format_instant(change.instant_ms),
        "cause": {"kind": change.cause.kind, "event_id": change.cause.event_id},
        "policy": {"name": policy, "version": version},
        "score": None if change.score is None else _score_payload(change.score, measures),
        "reasons": [_reason_payload(reason) for reason in change.reasons],
    }
    exchange = treatments.exchange(change.grading, change.before, change.after, older)
    if exchange is not None:
        payload["treatment"] = exchange.payload()
    if change.counterfactual is not None:
        payload["counterfactual"] = _counterfactual_payload(change.counterfactual)
    if change.pin is not None:
        payload["pin"] = pin_payload(change.pin, change.instant_ms)
    if change.waited is not None:
        payload["waited"] = waited_payload(change.waited)
    if change.forecast is not None:
        payload["forecast"] = forecast_payload(change.forecast)
    return payload


def waited_payload(waited: Waiting) -> dict[str, object]:
    """Return the published form of the rule that has held a change back."""
    return {"rule": waited.rule, "since": format_instant(waited.since_ms)}


def pin_payload(pin: Pin, now_ms: int) -> dict[str, object]:
    """Return the published form of a pin that had a part in a change at *now_ms*."""
    return {
        "status": pin_status(pin, now_ms),
        "event_id": pin.event_id,
        "author": pin.author,
        "reason": pin.reason,
        "until": None if pin.until_ms >= NEVER else format_instant(pin.until_ms),
    }


def pin_status(pin: Pin, now_ms: int) -> str:
    """Return what became of a pin: ``set``, ``lifted`` by a person, or ``ended`` by its time."""
    if now_ms < pin.until_ms:
        return "set"
    return "lifted" if pin.lifted else "ended"


def forecast_payload(found: Forecast) -> dict[str, object]:
    """Return the published form of a forecast, keys in order."""
    told: dict[str, object] = {"to": found.tier, "at": format_instant(found.at_ms)}
    if found.prevention is not None:
        told["prevention"] = prevention_payload(found.prevention)
    return told


def prevention_payload(found: Prevention) -> dict[str, object]:
    """Return the published form of what prevents a fall, keys in order."""
    return {
        "amount_minor": found.amount_minor,
        "currency": found.currency,
        "orders": found.orders,
    }


def _reason_payload(reason: Reason) -> dict[str, object]:
    payload: dict[str, object] = {
        "measure": reason.name,
        "unit": reason.unit,
        "before": reason.before,
        "after": reason.after,
        "boundary": reason.boundary,
        "crossed": reason.crossed,
    }
    if reason.boundary_before is not None:
        payload["boundary_before"] = reason.boundary_before
    return payload


def _counterfactual_payload(found: WayBack) -> dict[str, object]:
    return {
        "to": found.tier,
        "measure": found.measure,
        "amount_minor": found.amount_minor,
        "currency": found.currency,
        "orders": 1,
    }


def _score_payload(score: Score, measures: Sequence[Measure]) -> dict[str, object]:
    return {
        "value": exact_text(score.value),
        "parts": [
            {
                "indicator": part.indicator,
                "measure": part.indicator if part.measure is None else measures[part.measure].name,
                "value": _known(part.value),
                "points": exact_text(part.points),
                "weight": exact_text(part.weight),
                "contribution": exact_text(part.contribution),
                "table": part.table,
            }
            for part in score.parts
        ],
        "rounding": exact_text(score.rounding),
    }
