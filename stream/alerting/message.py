"""A message as it waits in the queue: words, and whom they are about. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from stream.erasure import has_ended

if TYPE_CHECKING:
    from collections.abc import Mapping


class Part(Struct, array_like=True, frozen=True, gc=False):
    """What is said of one customer.

    Attributes:
        customer_id: "" where it is about nobody.
        text: What is said.
        instant_ms: When what it tells became true.
    """

    customer_id: str
    text: str
    instant_ms: int = 0


class Message(Struct, array_like=True, frozen=True, gc=False):
    """What a channel is told.

    Attributes:
        kind: alert, escalation, digest or sample.
        parts: What is said, customer by customer.
        written_ms: When it was written.
        instant_ms: When what it tells became true; of a digest, the last of it.
        trace: Of the notice that it tells, "" where that has none; digests have none.
    """

    channel: str
    kind: str
    title: str
    parts: tuple[Part, ...]
    written_ms: int
    instant_ms: int
    trace: str = ""

    @property
    def body(self) -> str:
        """The words without the title."""
        return "\n".join(part.text for part in self.parts)

    def without(self, ended: Mapping[str, int]) -> Message | None:
        """Return what is left without those who were erased; None where nothing is.

        Titles name a customer only where it is the only one; the number in a digest's stays.
        """
        left = tuple(
            part for part in self.parts if not has_ended(ended, part.customer_id, part.instant_ms)
        )
        if len(left) == len(self.parts):
            return self
        return replace(self, parts=left) if left else None


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Message).decode
"""Raises `msgspec.MsgspecError` where it is not an encoded message."""
