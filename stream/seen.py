"""De-duplication: which events a bucket has applied lately, within a bounded window."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
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


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(tuple[int, list[str], list[int]])


class Seen:
    """Event ids applied by one bucket, each with a checksum of its record.

    Attributes:
        checksums: By event id, in the order of arrival. Look an id up to tell a repeat (equal
            checksum) from a conflict; set one that is not known yet, and never any other.
    """

    __slots__ = ("_blobs", "_sealed", "_window", "checksums")

    def __init__(self, window: DedupWindow, stored: Iterable[bytes] = ()) -> None:
        """Start from the blobs that earlier commits stored, oldest first."""
        self._window = window
        self.checksums: dict[str, int] = {}
        self._blobs: deque[tuple[int, list[str]]] = deque()
        for blob in stored:
            newest_ms, ids, checksums = _decoder.decode(blob)
            self._blobs.append((newest_ms, ids))
            self.checksums.update(zip(ids, checksums, strict=True))
        self._sealed = len(self.checksums)

    def seal(self, now_ms: int) -> tuple[bytes, int]:
        """Close what was added since the last call.

        Returns:
            The blob to store (empty if nothing was added), and how many of the
            oldest stored blobs to drop because they fell out of the window at *now_ms*.
        """
        checksums, blobs = self.checksums, self._blobs
        blob = b""
        added = len(checksums) - self._sealed
        if added:
            # A dict keeps the order of arrival: what is new stands at its end.
            ids = list(islice(reversed(checksums), added))
            sums = list(islice(reversed(checksums.values()), added))
            ids.reverse()
            sums.reverse()
            blob = _encode((now_ms, ids, sums))
            blobs.append((now_ms, ids))
        dropped = 0
        limit_ms = now_ms - self._window.age_ms
        # The newest blob always stays: it is only being stored now.
        while len(blobs) > 1 and (blobs[0][0] < limit_ms or len(checksums) > self._window.events):
            _, ids = blobs.popleft()
            for event_id in ids:
                checksums.pop(event_id, None)
            dropped += 1
        self._sealed = len(checksums)
        return blob, dropped
