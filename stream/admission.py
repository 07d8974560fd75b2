"""Which decoded events a policy can take in at all. Pure; says why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.records import Interaction, OrderPaid, OrderRefunded

if TYPE_CHECKING:
    from stream.bucket import Event
    from stream.plan import Plan

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
    if isinstance(event, (OrderPaid, OrderRefunded)):
        currency: str | None = event.currency
    elif isinstance(event, Interaction):
        currency = event.details.currency
    else:
        return None
    if currency is not None and not plan.converter.accepts(currency):
        return UNKNOWN_CURRENCY, "currency: not the policy's own and not among its rates"
    return None
