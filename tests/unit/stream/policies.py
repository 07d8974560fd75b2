"""Small policies for the unit tests, and a shorthand to write them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.properties.driver import plan_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.plan import Plan

DAY = 86_400_000
HOUR = 3_600_000


def policy(
    measures: Mapping[str, Any], gradings: Mapping[str, Any] | None = None, **settings: object
) -> Plan:
    """Compile a policy in UTC and USD; without gradings, one that never changes."""
    name = next(n for n, spec in measures.items() if spec.get("type") != "text")
    never = {"type": "bands", "measure": name, "tiers": [{"tier": "floor"}]}
    document = {
        "policy": "unit",
        "version": 1,
        "time_zone": "UTC",
        "currency": "USD",
        "measures": measures,
        "gradings": gradings or {"never": never},
    }
    return plan_of(json.dumps(document | settings))


def bands(measure: str, **levels: float) -> dict[str, Any]:
    """Return a ladder of tiers by enter level, best first, above a tier ``floor``."""
    tiers: list[dict[str, Any]] = [{"tier": tier, "enter": x} for tier, x in levels.items()]
    return {"type": "bands", "measure": measure, "tiers": [*tiers, {"tier": "floor"}]}


def paid(number: int, at_ms: int, amount_minor: int = 100, **more: Any) -> dict[str, Any]:
    """Return an order paid; its record arrives when it happens unless *more* says otherwise."""
    event = {
        "kind": "order.paid",
        "event_id": f"p{number}",
        "order_id": f"o{number}",
        "at_ms": at_ms,
        "record_ms": at_ms,
        "amount_minor": amount_minor,
        "currency": "USD",
    }
    return event | more


def refunded(number: int, at_ms: int, amount_minor: int, **more: Any) -> dict[str, Any]:
    """Return a refund of the order of that number."""
    event = {
        "kind": "order.refunded",
        "event_id": more.pop("event_id", f"r{number}"),
        "order_id": f"o{number}",
        "at_ms": at_ms,
        "record_ms": at_ms,
        "amount_minor": amount_minor,
        "currency": "USD",
    }
    return event | more


def cancelled(number: int, at_ms: int, **more: Any) -> dict[str, Any]:
    """Return a cancellation of the order of that number."""
    event = {
        "kind": "order.cancelled",
        "event_id": f"c{number}",
        "order_id": f"o{number}",
        "at_ms": at_ms,
        "record_ms": at_ms,
    }
    return event | more


def happened(kind: str, number: int, at_ms: int, **more: Any) -> dict[str, Any]:
    """Return an interaction."""
    event = {"kind": kind, "event_id": f"{kind}{number}", "at_ms": at_ms, "record_ms": at_ms}
    return event | more
