"""How far time has come for one partition number: by the wall, or by what the log promises."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.decode import Rejected, decode_control
from schemas.records import ClockAdvanced

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiokafka.structs import ConsumerRecord, TopicPartition

    Record = ConsumerRecord[bytes, bytes]

_MARK = b"clock.advanced"


def newest_promise(records: Iterable[Record]) -> int | None:
    """Return the latest instant that `clock.advanced` among *records* speaks of, or None."""
    newest: int | None = None
    for record in records:
        if record.value is None or _MARK not in record.value:
            continue
        try:
            control = decode_control(record.value)
        except Rejected:
            continue  # refused with its reason when its turn comes
        if isinstance(control, ClockAdvanced):
            newest = max(newest or 0, control.occurred_ms)
    return newest


@dataclass(slots=True)
class StreamClock:
    """Stream time: instants that the log has promised and that are known to be complete.

    A promise reads "no more records up to H". It holds for this reader once everything
    that was in the log when the promise was seen has been read.

    Attributes:
        now_ms: Largest instant up to which all records have been read; None before any.
    """

    now_ms: int | None = None
    _promises: deque[tuple[int, dict[TopicPartition, int]]] = field(default_factory=deque)

    def promise(self, instant_ms: int, ends: Mapping[TopicPartition, int]) -> None:
        """Note a promise, and the end offsets of all topics as they were after seeing it."""
        self._promises.append((instant_ms, dict(ends)))

    def advance(self, positions: Mapping[TopicPartition, int]) -> None:
        """Keep the promises whose records have all been read, given the next offsets to read."""
        while self._promises:
            instant_ms, ends = self._promises[0]
            if any(positions.get(tp, 0) < end for tp, end in ends.items()):
                return
            self._promises.popleft()
            self.now_ms = max(self.now_ms or 0, instant_ms)
