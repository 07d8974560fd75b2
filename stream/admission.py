"""Which decoded events a policy can take in at all. Pure; says why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.records import Interaction, OrderPaid, OrderRefunded

if TYPE_CHECKING:
    from stream.bucket import Event
    from stream.plan import Plan

MAX_MINOR = 10**13
"""Largest amount of one event, in minor units of the policy's currency: sums of a million of
these still fit the 64 bits they are kept in."""

TOO_LARGE = "wrong_schema"
UNKNOWN_CURRENCY = "unknown_currency"
FUTURE = "future"


def refusal(event: Event, record_ms: int, plan: Plan) -> tuple[str, str] | None:
    """Return ``(reason, detail)`` where *event* must be dead-lettered, None where it is fine.

    An event may be ahead of its record by the policy's ``max_future_minutes``; anything
    later would drag the customer's clock along.
    """
    if event.occurred_ms > record_ms + plan.max_future_ms:
        minutes = plan.max_future_ms // 60_000
        return FUTURE, f"occurred_at: more than {minutes} minutes after the record's timestamp"
    if isinstance(event, OrderPaid):
        if (
            event.currency == plan.converter.reporting
            and event.amount_minor <= MAX_MINOR
            and not event.cost_minor
        ):
            return None  # most orders
        return _refused_money(max(event.amount_minor, event.cost_minor or 0), event.currency, plan)
    if isinstance(event, OrderRefunded):
        return _refused_money(event.amount_minor, event.currency, plan)
    if isinstance(event, Interaction) and event.details.currency is not None:
        return _refused_money(event.details.amount_minor or 0, event.details.currency, plan)
    return None


def _refused_money(amount_minor: int, currency: str, plan: Plan) -> tuple[str, str] | None:
    converter = plan.converter
    if not converter.accepts(currency):
        return UNKNOWN_CURRENCY, "currency: not the policy's own and not among its rates"
    if converter.convert(amount_minor, currency) > MAX_MINOR:
        return TOO_LARGE, f"amount_minor, cost_minor: more than {MAX_MINOR} of the policy's units"
    return None
