"""A customer's last transitions with their reasons, as they are kept beside its state. Pure.

Bounded by the policy's `history_transitions`. Kept in the same commit that announces the
change, so what is read here was announced, and the other way round. An entry of two reasons
takes some 110 bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from stream.calendar import format_instant
from stream.changes import Reason
from stream.payloads import held_payload, reason_payload
from stream.stability import Pin, Waiting

if TYPE_CHECKING:
    from stream.changes import Change
    from stream.plan import Plan

_FORMAT = 1


class Transition(Struct, array_like=True, frozen=True, gc=False):
    """One change of one grading; see `stream.changes.Change`.

    Attributes:
        version: Version of the policy under which it happened.
    """

    format: int
    grading: str
    before: str | None
    after: str | None
    direction: str
    sequence: int
    instant_ms: int
    cause: str
    event_id: str | None
    version: int
    reasons: tuple[Reason, ...]
    pin: Pin | None = None
    waited: Waiting | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Transition).decode


def encode_transition(change: Change, plan: Plan) -> bytes:
    """Return the stored form of *change*; `decode_transition` is its inverse."""
    return _encode(
        Transition(
            _FORMAT,
            change.grading,
            change.before,
            change.after,
            change.direction,
            change.sequence,
            change.instant_ms,
            change.cause.kind,
            # A member may be erased, and its events' ids may name it: they are not kept here.
            None if change.cause.of_member else change.cause.event_id,
            plan.version,
            change.reasons,
            change.pin,
            change.waited,
        )
    )


def decode_transition(stored: bytes) -> Transition:
    """Rebuild a transition. Raises `msgspec.MsgspecError` where *stored* is not one."""
    return _decode(stored)


def transition_payload(transition: Transition) -> dict[str, object]:
    """Return a transition for machines, named as in `tier-changes`."""
    payload: dict[str, object] = {
        "grading": transition.grading,
        "from": transition.before,
        "to": transition.after,
        "direction": transition.direction,
        "sequence": transition.sequence,
        "instant": format_instant(transition.instant_ms),
        "cause": {"kind": transition.cause, "event_id": transition.event_id},
        "policy_version": transition.version,
        "reasons": [reason_payload(reason) for reason in transition.reasons],
    }
    return payload | held_payload(transition)
