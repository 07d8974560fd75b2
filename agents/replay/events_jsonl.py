"""Wire events as JSON lines: the topic is told by the kind, the bytes are sent as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from agents.replay.log import LogRecord
from agents.replay.mistakes import ReplayFileError
from schemas.decode import (
    Rejected,
    decode_control,
    decode_interaction,
    decode_order,
    decode_profile,
)
from schemas.records import CustomerErase, IdentityMerged, IdentitySplit
from schemas.vocabulary import INTERACTION_KINDS
from stream.beginnings import beginning
from stream.decisions import DECISIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from schemas.decode import Control, Order, Profile
    from schemas.records import Interaction
    from stream.decisions import Decision

    CustomerControl = Decision | CustomerErase | IdentityMerged | IdentitySplit
    Decode = Callable[[bytes | None], Order | Interaction | Profile | CustomerControl]

_CUSTOMER_CONTROLS: Final = (
    "tier.pinned",
    "tier.unpinned",
    "review.submitted",
    "customer.erase",
    "identity.merged",
    "identity.split",
)


def _decode_customer_control(data: bytes | None) -> CustomerControl:
    control = decode_control(data)
    if not isinstance(control, (*DECISIONS, CustomerErase, IdentityMerged, IdentitySplit)):
        raise Rejected("wrong_schema", f"kind: must be one of {', '.join(_CUSTOMER_CONTROLS)}")
    return control


DECODERS: Final[dict[str, Decode]] = {
    "orders": decode_order,
    "interactions": decode_interaction,
    "profiles": decode_profile,
    "controls": _decode_customer_control,
}
"""How the values of each topic of events that a replay may hold are decoded."""

CONTROLS: Final = "controls"
EDITIONS: Final = ("policy.published", "shadow.started", "shadow.ended")
"""Kinds of controls that concern everyone."""

TOPICS: Final[dict[str, str]] = {
    **dict.fromkeys(("order.paid", "order.refunded", "order.cancelled"), "orders"),
    **dict.fromkeys(INTERACTION_KINDS, "interactions"),
    **dict.fromkeys(("profile.changed", "identity.linked", "consent.changed"), "profiles"),
    **dict.fromkeys(_CUSTOMER_CONTROLS, CONTROLS),
    **dict.fromkeys(EDITIONS, CONTROLS),
}


class _Kind(msgspec.Struct):
    kind: str


_kind = msgspec.json.Decoder(_Kind)


def read_events(path: Path) -> Iterator[LogRecord]:
    """Yield the events of the file at *path* in its order; empty lines are skipped.

    Raises:
        ReplayFileError: The file cannot be read, or an event is wrong: the first mistake.
    """
    file = str(path)
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if value := line.strip():
                    yield _record(file, number, value)
    except OSError as exc:
        said = (exc.strerror or "unreadable").lower()
        raise ReplayFileError(file, value=said, allowed="a readable file") from exc


def _record(file: str, line: int, value: bytes) -> LogRecord:
    try:
        kind = _kind.decode(value).kind
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise ReplayFileError(
            file, line=line, value="this line", allowed="one JSON object with its kind"
        ) from exc
    topic = TOPICS.get(kind)
    if topic is None:
        raise ReplayFileError(
            file, line=line, column="kind", value=kind, allowed=", ".join(sorted(TOPICS))
        )
    try:
        event = _edition(value) if kind in EDITIONS else DECODERS[topic](value)
    except Rejected as exc:
        field, _, allowed = exc.detail.partition(": ")
        raise ReplayFileError(
            file, line=line, column=field, value="its value", allowed=allowed or exc.detail
        ) from exc
    if event.occurred_ms < 0:
        raise ReplayFileError(
            file,
            line=line,
            column="occurred_at",
            value=event.occurred_at.isoformat(),
            allowed="an instant from 1970 on: Kafka has no earlier record times",
        )
    return LogRecord(topic, (event.customer_id or "").encode(), value, event.occurred_ms)


def _edition(value: bytes) -> Control:
    control = decode_control(value)
    beginning(control, control.occurred_ms, control.occurred_ms)
    return control
