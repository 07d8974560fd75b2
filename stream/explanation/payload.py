"""An explanation for machines: plain values, ids of the policy, nothing rounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.calendar import format_instant
from stream.decimals import decimal_text, exact_text
from stream.explanation.place_payload import edition_data, place_data
from stream.explanation.standing import POINTS
from stream.payloads import prevention_payload
from stream.sentinels import MISSING, NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.counterfactual import Amount
    from stream.editions import Edition
    from stream.explanation import Explanation, GradingNote, Standing
    from stream.forecast.outlook import Outlook
    from stream.gradings.base import Score
    from stream.moves import Move
    from stream.plan import Plan
    from stream.stability import Held


def explanation_payload(
    found: Explanation, plan: Plan, source: str, edition: Edition | None = None
) -> dict[str, object]:
    """Return *found*, which comes from *source*, as `tierstream explain --json` and the API do.

    *edition* is the one whose cuts are in force; None where that is not known.
    """
    return {
        "customer_id": found.customer_id,
        "as_of": format_instant(found.as_of_ms),
        "source": source,
        "policy": {"name": plan.name, "version": plan.version},
        "edition": edition_data(edition),
        "currency": plan.converter.reporting,
        "measures": {name: {"unit": unit, "value": value} for name, unit, value in found.measures},
        "gradings": {note.grading: _grading(note, plan) for note in found.gradings},
        "next_deadline": None if found.deadline_ms is None else format_instant(found.deadline_ms),
    }


def _grading(note: GradingNote, plan: Plan) -> dict[str, object]:
    evidence = note.evidence
    return {
        "tier": note.tier,
        "since": None if note.since_ms is None else format_instant(note.since_ms),
        "sequence": note.sequence,
        "decided_by": note.decided_by,
        "path": [
            {
                "measure": plan.measures[step.measure].name,
                "value": None if step.value == MISSING else step.value,
                "threshold": step.threshold,
                "went": step.went,
            }
            for step in note.path
        ],
        "score": None if note.score is None else _score(note.score, plan),
        "measures": [
            {"measure": r.measure, "unit": r.unit, "value": r.value, "from": r.low, "below": r.high}
            for r in note.reaches
        ],
        "gradings": dict(note.gradings),
        "places": [place_data(place) for place in note.places],
        "standing": None if note.standing is None else _standing(note.standing),
        "evidence": None
        if evidence is None
        else {
            "measure": evidence[0].measure,
            "value": evidence[0].value,
            "at_least": evidence[1],
        },
        "counterfactual": {
            "orders": _amount(note.orders),
            "refund": _amount(note.refund),
            "better": _moves(note.moves.better),
            "worse": _moves(note.moves.worse),
        },
        **outlook_payload(note.outlook),
        "stability": None if note.held is None else _stability(note, note.held),
    }


def forecast_report(
    customer_id: str, found: Sequence[Outlook], plan: Plan, now_ms: int
) -> dict[str, object]:
    """Return what comes next as `tierstream forecast --json` and the API tell it."""
    return {
        "customer_id": customer_id,
        "as_of": format_instant(now_ms),
        "policy": {"name": plan.name, "version": plan.version},
        "gradings": {one.grading: {"tier": one.tier} | outlook_payload(one) for one in found},
    }


def outlook_payload(outlook: Outlook) -> dict[str, object]:
    """Return what comes next in a grading, and until when nothing does where that is unknown."""
    found, not_before_ms = outlook.forecast, outlook.not_before_ms
    prevention = None if found is None else found.prevention
    return {
        "expected": None
        if found is None
        else {
            "tier": found.tier,
            "at": format_instant(found.at_ms),
            "prevention": None if prevention is None else prevention_payload(prevention),
        },
        "not_before": None if not_before_ms is None else format_instant(not_before_ms),
    }


def _stability(note: GradingNote, held: Held) -> dict[str, object]:
    waiting, pin = held.waiting, held.pin
    return {
        "earned": note.earned,
        "waiting": None
        if waiting is None
        else {
            "rule": waiting.rule,
            "since": format_instant(waiting.since_ms),
            "until": format_instant(waiting.due_ms),
        },
        "pin": None
        if pin is None
        else {
            "event_id": pin.event_id,
            "author": pin.author,
            "reason": pin.reason,
            "until": None if pin.until_ms >= NEVER else format_instant(pin.until_ms),
        },
        "suppressed": held.suppressed,
    }


def _score(score: Score, plan: Plan) -> dict[str, object]:
    return {
        "value": exact_text(score.value),
        "rounding": exact_text(score.rounding),
        "parts": [
            {
                "indicator": part.indicator,
                "measure": None if part.measure is None else plan.measures[part.measure].name,
                "table": part.table,
                "points": exact_text(part.points),
                "weight": exact_text(part.weight),
                "contribution": exact_text(part.contribution),
            }
            for part in score.parts
        ],
    }


def _standing(standing: Standing) -> dict[str, object]:
    def level(number: int | None) -> int | str | None:
        if number is None or standing.unit != POINTS:
            return number
        return decimal_text(number, standing.places)

    better = standing.better
    return {
        "unit": standing.unit,
        "level": level(standing.level),
        "tiers": [
            {"tier": tier, "enter": level(enter), "exit": level(leave)}
            for tier, enter, leave in standing.rungs
        ],
        "next_tier": None if better is None else better[0],
        "enter": None if better is None else level(better[1]),
        "missing": level(standing.missing),
        "exit": level(standing.exit),
        "margin": level(standing.margin),
    }


def _amount(amount: Amount | None) -> dict[str, object] | None:
    if amount is None:
        return None
    told: dict[str, object] = {"to": amount.tier, "amount_minor": amount.amount_minor}
    return told | ({"orders": amount.orders} if amount.orders else {})


def _moves(moves: Iterable[Move]) -> list[dict[str, object]]:
    return [
        {"measure": m.measure, "unit": m.unit, "value": m.value, "at": m.level, "to": m.tier}
        for m in moves
    ]
