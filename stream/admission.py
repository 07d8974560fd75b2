"""Which decoded events a policy can take in at all, and in what form. Pure; says why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

from schemas.decode import Rejected
from schemas.records import Interaction, OrderPaid, OrderRefunded
from stream.arrivals import Notice, Payment
from stream.decisions import DECISIONS, check
from stream.ledger import OrderEntry
from stream.money import MAX_MINOR

if TYPE_CHECKING:
    from stream.arrivals import Arrival, Event
    from stream.plan import Plan

TOO_LARGE = "wrong_schema"
UNKNOWN_CURRENCY = "unknown_currency"
FUTURE = "future"


def admit(
    event: Event,
    record_ms: int,
    value: bytes,
    plan: Plan,
    origin: Any = None,  # noqa: ANN401 - opaque
) -> Arrival:
    """Return what the fold needs of an event.

    An event may be ahead of its record by the policy's ``max_future_minutes``; anything
    later would drag the customer's clock along.

    Args:
        event: Decoded from *value*.
        record_ms: Record time.
        value: The record's bytes, for their checksum.
        plan: The policy.
        origin: Handed on as it is.

    Raises:
        Rejected: The policy cannot take it in; dead-letter the record.
    """
    if event.occurred_ms > record_ms + plan.max_future_ms:
        minutes = plan.max_future_ms // 60_000
        raise Rejected(FUTURE, f"occurred_at: more than {minutes} minutes after its record's time")
    if isinstance(event, OrderPaid):
        paid_minor, cost_minor = event.amount_minor, event.cost_minor or 0
        if event.currency != plan.converter.reporting:
            _check_currency(event.currency, plan)
            paid_minor = plan.converter.convert(paid_minor, event.currency)
            cost_minor = plan.converter.convert(cost_minor, event.currency)
        if paid_minor > MAX_MINOR or cost_minor > MAX_MINOR:
            raise _too_large()
        entry = OrderEntry(event.occurred_ms, paid_minor, cost_minor, crc32(value))
        return Payment(record_ms, event.event_id, event.order_id, entry, origin)
    if isinstance(event, OrderRefunded):
        _check_money(event.amount_minor, event.currency, plan)
    elif isinstance(event, DECISIONS):
        check(event, record_ms, plan)
    elif isinstance(event, Interaction) and event.details.currency is not None:
        _check_money(event.details.amount_minor or 0, event.details.currency, plan)
    return Notice(record_ms, event, crc32(value), origin)


def _check_currency(currency: str, plan: Plan) -> None:
    if not plan.converter.accepts(currency):
        own = plan.converter.reporting
        raise Rejected(
            UNKNOWN_CURRENCY,
            f"currency: {currency} is not the policy's, {own}, nor among its rates",
        )


def _check_money(amount_minor: int, currency: str, plan: Plan) -> None:
    _check_currency(currency, plan)
    if plan.converter.convert(amount_minor, currency) > MAX_MINOR:
        raise _too_large()


def _too_large() -> Rejected:
    return Rejected(
        TOO_LARGE, f"amount_minor, cost_minor: more than {MAX_MINOR} of the policy's units"
    )
