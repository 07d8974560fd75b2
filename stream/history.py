"""A customer's last transitions with their reasons, as they are kept beside its state. Pure.

Bounded by the policy's `history_transitions`. Kept in the same commit that announces the
change, so what is read here was announced, and the other way round. An entry of two reasons
takes some 110 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from stream.calendar import format_instant
from stream.changes import Reason
from stream.payloads import held_payload, reason_payload
from stream.stability import Pin, Waiting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.changes import Change
    from stream.customer import Grade
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


@dataclass(frozen=True, slots=True)
class Stood:
    """Where a customer stood in one grading at an instant.

    Attributes:
        grading: Its name.
        tier: The tier, None for "not graded".
        sequence: Number of changes up to then.
        since_ms: Instant of the last of them; None where that is not known, or there was none.
        transition: That change; None where it is not kept, or there was none.
    """

    grading: str
    tier: str | None
    sequence: int
    since_ms: int | None
    transition: Transition | None


def stood_at(
    grades: Mapping[str, Grade], kept: Sequence[Transition], instant_ms: int
) -> list[Stood] | None:
    """Return where a customer stood at an instant; None where what is kept does not say.

    Args:
        grades: Where the customer stands now, by grading, those given up included.
        kept: Its history, read after that; older entries may be missing.
        instant_ms: Changes of this very instant have happened.
    """
    known = {(entry.grading, entry.sequence): entry for entry in kept}
    found = []
    for name, grade in grades.items():
        tier, sequence, since_ms = grade.tier, grade.sequence, grade.since_ms
        while sequence and since_ms > instant_ms:
            undone = known.get((name, sequence))
            if undone is None:
                return None
            tier, sequence = undone.before, sequence - 1
            before = known.get((name, sequence))
            if sequence and before is None:
                return None
            since_ms = 0 if before is None else before.instant_ms
        entry = known.get((name, sequence))
        found.append(Stood(name, tier, sequence, since_ms if sequence else None, entry))
    return found
