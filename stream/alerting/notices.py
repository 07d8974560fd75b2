"""What an alert may be about: a change, a warning or a complaint, as the topics tell it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from stream.calendar import to_instant_ms
from stream.outbox import GRACE_ENDED, GRACE_STARTED

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["change", "forecast", "complaint"]
COMPLAINT = "complaint"
GRACE = frozenset({GRACE_STARTED, GRACE_ENDED})
_CLOSING = {"withdrawn", GRACE_ENDED}


class Facts(Struct, array_like=True, frozen=True, gc=False):
    """What is known of a customer when it is told.

    Attributes:
        name: What people call it; None where that is not known, as below.
        owner: Who looks after it.
        territory: Where it is.
        amount_minor: What it is worth, in the reporting currency.
        tiers: Where it stands, by grading.
    """

    name: str | None = None
    owner: str | None = None
    territory: str | None = None
    amount_minor: int | None = None
    tiers: dict[str, str] = {}


class Moved(Struct, array_like=True, frozen=True, gc=False):
    """One reason of a change (see `schemas.tier_changes.Reason`)."""

    measure: str
    unit: str
    before: str | int | None
    after: str | int | None
    boundary: str | int | None = None
    crossed: str | None = None


class Orders(Struct, array_like=True, frozen=True, gc=False):
    """Equal orders that would take a fall back or prevent it.

    Attributes:
        amount_minor: Of each; 0: any amount does.
        to: The grade they lead to; None where they keep the one there is.
    """

    amount_minor: int
    currency: str
    orders: int
    to: str | None = None


class Notice(Struct, array_like=True, frozen=True, gc=False):
    """One thing that somebody may want to hear.

    Attributes:
        kind: What it is about.
        id: Of the change, the warning or the event.
        grading: "" of a complaint.
        before: The grade that is left, or about to be.
        after: The grade that is reached.
        direction: first, up, down or lateral.
        sequence: Rises with each notice of one customer, grading and kind, where grace is a kind of
            its own; 0 of a complaint.
        instant_ms: When it became true.
        status: Of a change its cause, of a forecast its status, of a complaint its kind.
        reasons: Of a change.
        way_back: What would take a downgrade back, or prevent a fall.
        next_tier: Of a change: the grade that follows if nothing happens.
        at_ms: When that follows, or when the foretold fall comes; 0: unknown.
        prevention: Of a change: what would prevent the fall that follows.
        action: What the policy recommends to do next.
        trace: Trace context of the record that brought it about; "" where that has none.
    """

    kind: Kind
    id: str
    customer_id: str
    grading: str
    before: str | None
    after: str | None
    direction: str
    sequence: int
    instant_ms: int
    status: str
    reasons: tuple[Moved, ...] = ()
    way_back: Orders | None = None
    next_tier: str | None = None
    at_ms: int = 0
    prevention: Orders | None = None
    action: str | None = None
    facts: Facts = Facts()
    trace: str = ""

    @property
    def closes(self) -> bool:
        """Whether it takes an earlier warning back."""
        return self.kind == "forecast" and self.status in _CLOSING


class _Cause(Struct):
    kind: str


class _Reason(Struct):
    measure: str
    unit: str
    before: str | int | None
    after: str | int | None
    boundary: str | int | None
    crossed: str | None


class _Orders(Struct):
    amount_minor: int
    currency: str
    orders: int
    to: str | None = None


class _Forecast(Struct):
    to: str | None
    at: datetime
    prevention: _Orders | None = None


class _Terms(Struct):
    action: str | None


class _Treatment(Struct):
    after: _Terms


class _Change(Struct, rename={"before": "from", "after": "to"}):
    id: str
    customer_id: str
    grading: str
    before: str | None
    after: str | None
    direction: str
    sequence: int
    instant: datetime
    cause: _Cause
    reasons: tuple[_Reason, ...]
    treatment: _Treatment | None = None
    counterfactual: _Orders | None = None
    forecast: _Forecast | None = None


class _Warning(Struct):
    id: str
    customer_id: str
    grading: str
    tier: str
    expected_tier: str | None
    expected_at: datetime
    issued_at: datetime
    status: str
    sequence: int | None = None
    prevention: _Orders | None = None


class _Interaction(Struct):
    event_id: str
    customer_id: str
    kind: str
    occurred_at: datetime


_changes = msgspec.json.Decoder(_Change)
_warnings = msgspec.json.Decoder(_Warning)
_interactions = msgspec.json.Decoder(_Interaction)


def read_change(value: bytes) -> Notice:
    """Return what a record of `tier-changes` tells. Raises `msgspec.MsgspecError`."""
    told = _changes.decode(value)
    ahead = told.forecast
    return Notice(
        kind="change",
        id=told.id,
        customer_id=told.customer_id,
        grading=told.grading,
        before=told.before,
        after=told.after,
        direction=told.direction,
        sequence=told.sequence,
        instant_ms=to_instant_ms(told.instant),
        status=told.cause.kind,
        reasons=tuple(
            Moved(r.measure, r.unit, r.before, r.after, r.boundary, r.crossed) for r in told.reasons
        ),
        way_back=_orders(told.counterfactual),
        next_tier=None if ahead is None else ahead.to,
        at_ms=0 if ahead is None else to_instant_ms(ahead.at),
        prevention=None if ahead is None else _orders(ahead.prevention),
        action=None if told.treatment is None else told.treatment.after.action,
    )


def read_forecast(value: bytes) -> Notice:
    """Return what a record of `tier-forecasts` tells. Raises `msgspec.MsgspecError`."""
    told = _warnings.decode(value)
    issued_ms = to_instant_ms(told.issued_at)
    return Notice(
        kind="forecast",
        id=told.id,
        customer_id=told.customer_id,
        grading=told.grading,
        before=told.tier,
        after=told.expected_tier,
        direction="down",
        sequence=told.sequence or issued_ms,
        instant_ms=issued_ms,
        status=told.status,
        way_back=_orders(told.prevention),
        at_ms=to_instant_ms(told.expected_at),
    )


def read_complaint(value: bytes) -> Notice | None:
    """Return the complaint in a record of `interactions`; None where it is something else.

    Raises `msgspec.MsgspecError` where it is not an interaction.
    """
    if b"complaint" not in value:
        return None
    told = _interactions.decode(value)
    if told.kind != COMPLAINT:
        return None
    return Notice(
        kind="complaint",
        id=told.event_id,
        customer_id=told.customer_id,
        grading="",
        before=None,
        after=None,
        direction="",
        sequence=0,
        instant_ms=to_instant_ms(told.occurred_at),
        status=told.kind,
    )


READERS: dict[str, Callable[[bytes], Notice | None]] = {
    "tier-changes": read_change,
    "tier-forecasts": read_forecast,
    "interactions": read_complaint,
}
"""By topic, what makes a notice of a record."""


def _orders(told: _Orders | None) -> Orders | None:
    if told is None:
        return None
    return Orders(told.amount_minor, told.currency, told.orders, told.to)
