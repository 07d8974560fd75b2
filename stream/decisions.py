"""What people decide about one customer: pins of a tier, and reviews. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.base import instant_ms
from schemas.decode import Rejected
from schemas.records import ReviewSubmitted, TierPinned, TierUnpinned
from stream.changes import PINNED, REVIEW, Cause
from stream.measures import PROFILE, review_kind
from stream.sentinels import NEVER
from stream.stability import Pin, lift, pin

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.changes import Change
    from stream.customer import Customer
    from stream.fold import Scorer
    from stream.plan import Plan

Decision = TierPinned | TierUnpinned | ReviewSubmitted
DECISIONS = (TierPinned, TierUnpinned, ReviewSubmitted)

_SAID = 8
_WRONG = "wrong_schema"


def check(event: Decision, record_ms: int, plan: Plan) -> None:
    """See that a policy can take a decision in that was recorded at *record_ms*.

    Raises:
        Rejected: It cannot; says which field, and what is allowed.
    """
    position = _position(plan, event.grading)
    if position is None:
        names = _said(grading.name for grading in plan.gradings)
        raise Rejected(_WRONG, f"grading: must be a grading of the policy: {names}")
    if isinstance(event, TierPinned):
        tiers = plan.gradings[position].tiers
        if event.tier not in tiers:
            raise Rejected(_WRONG, f"tier: must be a tier of that grading: {_said(tiers)}")
        if until_ms(event) <= record_ms:
            raise Rejected(_WRONG, "expires_at: must be after the time of the record")
    elif isinstance(event, ReviewSubmitted):
        if event.author == event.approved_by:
            raise Rejected(_WRONG, "approved_by: must be another person than author")
        if review_kind(event.grading, event.indicator) not in plan.shape.spans:
            raise Rejected(_WRONG, "indicator: must be one that a measure of the policy reviews")


def until_ms(event: TierPinned) -> int:
    """Return when a pin ends; `NEVER` where someone has to end it."""
    return NEVER if event.expires_at is None else instant_ms(event.expires_at)


def decide(
    scorer: Scorer, customer: Customer, record_ms: int, event: Decision
) -> Sequence[Change] | None:
    """Apply a decision; None where it changes nothing that the policy looks at."""
    position = _position(scorer.plan, event.grading)
    if position is None:
        return None
    if isinstance(event, ReviewSubmitted):
        return _review(scorer, customer, record_ms, event)
    if isinstance(event, TierUnpinned):
        held = customer.grades[position].held
        if held is None or held.pin is None:
            return None

    def apply(now_ms: int) -> None:
        standing = customer.grades[position]
        if isinstance(event, TierUnpinned):
            lift(standing, event.event_id, event.author, event.reason, now_ms)
        else:
            end_ms = until_ms(event)
            pin(standing, Pin(event.tier, end_ms, event.event_id, event.author, event.reason))

    return scorer.gather(customer, record_ms, Cause(PINNED, event.event_id), PROFILE, apply)


def _review(
    scorer: Scorer, customer: Customer, record_ms: int, event: ReviewSubmitted
) -> Sequence[Change] | None:
    kind = review_kind(event.grading, event.indicator)
    if kind not in customer.kinds:
        return None

    def apply(now_ms: int) -> None:
        customer.kinds[kind].add(event.occurred_ms, now_ms, event.score, 0)

    return scorer.gather(customer, record_ms, Cause(REVIEW, event.event_id), kind, apply)


def _position(plan: Plan, name: str) -> int | None:
    return next((i for i, grading in enumerate(plan.gradings) if grading.name == name), None)


def _said(names: Iterable[str]) -> str:
    known = list(names)
    return ", ".join(known[:_SAID]) + (", ..." if len(known) > _SAID else "")
