"""A message as it waits in the queue: words, and whom they are about."""

from __future__ import annotations

import msgspec
from msgspec import Struct


class Message(Struct, array_like=True, frozen=True, gc=False):
    """What a channel is told.

    Attributes:
        kind: alert, escalation, digest or sample.
        parts: Customer and what is said of it; "" where it is about nobody.
        written_ms: When it was written.
        instant_ms: When what it tells became true; of a digest, the last of it.
    """

    channel: str
    kind: str
    title: str
    parts: tuple[tuple[str, str], ...]
    written_ms: int
    instant_ms: int

    @property
    def body(self) -> str:
        """The words without the title."""
        return "\n".join(text for _, text in self.parts)


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Message).decode
"""Raises `msgspec.MsgspecError` where it is not an encoded message."""
