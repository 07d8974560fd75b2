"""The published form of a tier change and of its parts: plain dicts, keys in order. Pure.

What the keys mean is said in `schemas.tier_changes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.calendar import format_instant
from stream.changes import change_id
from stream.decimals import exact_text
from stream.sentinels import MISSING, NEVER
from stream.treatment import NO_TREATMENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.changes import Change, Reason
    from stream.forecast.warning import Forecast, Prevention
    from stream.gradings.base import Score
    from stream.history import Transition
    from stream.measures import Measure
    from stream.stability import Pin, Waiting
    from stream.treatment import Treatments
    from stream.way_back import WayBack


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
        "reasons": [reason_payload(reason, crossed=reason.crossed) for reason in change.reasons],
    }
    exchange = treatments.exchange(change.grading, change.before, change.after, older)
    if exchange is not None:
        payload["treatment"] = exchange.payload()
    if change.counterfactual is not None:
        payload["counterfactual"] = _counterfactual_payload(change.counterfactual)
    payload |= held_payload(change)
    if change.forecast is not None:
        payload["forecast"] = forecast_payload(change.forecast)
    return payload


def held_payload(found: Change | Transition) -> dict[str, object]:
    """Return what pins and rules had to do with a change: nothing where they had no part."""
    payload: dict[str, object] = {}
    if found.pin is not None:
        payload["pin"] = pin_payload(found.pin, found.instant_ms)
    if found.waited is not None:
        payload["waited"] = waited_payload(found.waited)
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


def reason_payload(reason: Reason, **more: object) -> dict[str, object]:
    """Return the published form of one reason, with *more* said of its boundary."""
    payload: dict[str, object] = {
        "measure": reason.name,
        "unit": reason.unit,
        "before": reason.before,
        "after": reason.after,
        "boundary": reason.boundary,
        **more,
    }
    if reason.boundary_before is not None:
        payload["boundary_before"] = reason.boundary_before
    if reason.segment is not None:
        payload["segment"] = reason.segment
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
                "value": None if part.value == MISSING else part.value,
                "points": exact_text(part.points),
                "weight": exact_text(part.weight),
                "contribution": exact_text(part.contribution),
                "table": part.table,
            }
            for part in score.parts
        ],
        "rounding": exact_text(score.rounding),
    }
