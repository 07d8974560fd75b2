"""De-duplication: which events a bucket has applied lately, within a bounded window."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class DedupWindow:
    """How far back repeats are recognised: whichever limit is reached first.

    Attributes:
        age_ms: Record time.
        events: Events per bucket.
    """

    age_ms: int = 3_600_000
    events: int = 4_000


_decoder = msgspec.msgpack.Decoder(tuple[int, list[str], list[int]])


class Seen:
    """Event ids applied by one bucket, each with a checksum of its record.

    Attributes:
        checksums: By event id. Read it to tell a repeat (equal checksum) from a conflict;
            write to it through `remember` only.
    """

    __slots__ = ("_blobs", "_fresh", "_window", "checksums")

    def __init__(self, window: DedupWindow, stored: Iterable[bytes] = ()) -> None:
        """Start from the blobs that earlier commits stored, oldest first."""
        self._window = window
        self.checksums: dict[str, int] = {}
        self._blobs: deque[tuple[int, list[str]]] = deque()
        self._fresh: dict[str, int] = {}
        for blob in stored:
            newest_ms, ids, checksums = _decoder.decode(blob)
            self._blobs.append((newest_ms, ids))
            self.checksums.update(zip(ids, checksums, strict=True))

    def remember(self, event_id: str, checksum: int) -> None:
        """Add an id that is not known yet."""
        self.checksums[event_id] = self._fresh[event_id] = checksum

    def seal(self, now_ms: int) -> tuple[bytes, int]:
        """Close what was remembered since the last call.

        Returns:
            The blob to store (empty if nothing was remembered), and how many of the
            oldest stored blobs to drop because they fell out of the window at *now_ms*.
        """
        blob = b""
        if self._fresh:
            fresh, self._fresh = self._fresh, {}
            ids = list(fresh)
            blob = msgspec.msgpack.encode((now_ms, ids, list(fresh.values())))
            self._blobs.append((now_ms, ids))
        dropped = 0
        limit_ms = now_ms - self._window.age_ms
        # The newest blob always stays: it is only being stored now.
        while len(self._blobs) > 1 and (
            self._blobs[0][0] < limit_ms or len(self.checksums) > self._window.events
        ):
            _, ids = self._blobs.popleft()
            for event_id in ids:
                self.checksums.pop(event_id, None)
            dropped += 1
        return blob, dropped
