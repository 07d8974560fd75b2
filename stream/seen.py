"""De-duplication: which events a bucket has applied lately, within a bounded window."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

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
_Owner = tuple[str, int]
_decoder = msgspec.msgpack.Decoder(tuple[int, list[str], list[int], list[_Owner]])


class _Blob(NamedTuple):
    """What one commit stored.

    Attributes:
        newest_ms: Record time.
        ids: In the order of arrival.
        owners: Whose they are: customers, each with the number of ids in a row.
    """

    newest_ms: int
    ids: list[str]
    owners: list[_Owner]


class Seen:
    """Event ids applied by one bucket, each with a checksum of its record.

    Attributes:
        checksums: By event id, in the order of arrival. Look an id up to tell a repeat (equal
            checksum) from a conflict; set one that is not known yet, and never any other.
    """

    __slots__ = ("_blobs", "_owners", "_sealed", "_stale", "_window", "checksums")

    def __init__(self, window: DedupWindow, stored: Iterable[bytes] = ()) -> None:
        """Start from the blobs that earlier commits stored, oldest first."""
        self._window = window
        self.checksums: dict[str, int] = {}
        self._blobs: deque[_Blob] = deque()
        for blob in stored:
            newest_ms, ids, checksums, owners = _decoder.decode(blob)
            self._blobs.append(_Blob(newest_ms, ids, owners))
            self.checksums.update(zip(ids, checksums, strict=True))
        self._sealed = len(self.checksums)
        self._owners: list[_Owner] = []
        self._stale = 0

    def own(self, customer_id: str, count: int) -> None:
        """Say whose the last *count* ids are."""
        self._owners.append((customer_id, count))

    def forget(self, customer_id: str) -> int:
        """Forget the ids of a customer, which may name it; returns how many there were.

        The next `seal` stores everything else anew.
        """
        forgotten = 0
        for place, blob in enumerate(self._blobs):
            ids, owners = _without(customer_id, blob.ids, blob.owners)
            gone = len(blob.ids) - len(ids)
            if gone or len(owners) < len(blob.owners):
                self._stale = len(self._blobs)
                self._blobs[place] = _Blob(blob.newest_ms, ids, owners)
            for event_id in set(blob.ids).difference(ids):
                del self.checksums[event_id]
            forgotten += gone
        self._sealed -= forgotten
        fresh = list(islice(self.checksums, self._sealed, None))
        kept, self._owners = _without(customer_id, fresh, self._owners)
        for event_id in set(fresh).difference(kept):
            del self.checksums[event_id]
        return forgotten + len(fresh) - len(kept)

    def seal(self, now_ms: int) -> tuple[bytes, int]:
        """Close what was added since the last call.

        Returns:
            The blob to store (empty if nothing was added), and how many of the
            oldest stored blobs to drop because they fell out of the window at *now_ms*.
        """
        if self._stale:
            return self._rewrite(now_ms)
        checksums, blobs = self.checksums, self._blobs
        blob = b""
        added = len(checksums) - self._sealed
        if added:
            # A dict keeps the order of arrival: what is new stands at its end.
            ids = list(islice(reversed(checksums), added))
            sums = list(islice(reversed(checksums.values()), added))
            ids.reverse()
            sums.reverse()
            blob = _encode((now_ms, ids, sums, self._owners))
            blobs.append(_Blob(now_ms, ids, self._owners))
        dropped = 0
        limit_ms = now_ms - self._window.age_ms
        # The newest blob always stays: it is only being stored now.
        while len(blobs) > 1 and (
            blobs[0].newest_ms < limit_ms
            or len(checksums) - len(blobs[0].ids) >= self._window.events
        ):
            for event_id in blobs.popleft().ids:
                checksums.pop(event_id, None)
            dropped += 1
        self._sealed = len(checksums)
        self._owners = []
        return blob, dropped

    def _rewrite(self, now_ms: int) -> tuple[bytes, int]:
        """Store everything anew, as one blob in the place of those that are stored."""
        dropped, self._stale = self._stale, 0
        owners = [owner for blob in self._blobs for owner in blob.owners] + self._owners
        ids = list(self.checksums)
        now_ms = max([now_ms, *(blob.newest_ms for blob in self._blobs)])
        self._blobs = deque([_Blob(now_ms, ids, owners)] if ids else [])
        self._owners, self._sealed = [], len(ids)
        if not ids:
            return b"", dropped
        return _encode((now_ms, ids, list(self.checksums.values()), owners)), dropped


def merged(stored: Iterable[bytes]) -> bytes:
    """Return one blob that says what several say, oldest first; empty if there are none."""
    newest_ms, ids, checksums, owners = 0, list[str](), list[int](), list[_Owner]()
    for blob in stored:
        at_ms, some, sums, own = _decoder.decode(blob)
        newest_ms = max(newest_ms, at_ms)
        ids += some
        checksums += sums
        owners += own
    return _encode((newest_ms, ids, checksums, owners)) if ids else b""


def _without(
    customer_id: str, ids: list[str], owners: list[_Owner]
) -> tuple[list[str], list[_Owner]]:
    """Return what is left without those of a customer."""
    kept: list[str] = []
    others: list[_Owner] = []
    start = 0
    for owner, count in owners:
        if owner != customer_id:
            kept += ids[start : start + count]
            others.append((owner, count))
        start += count
    return kept + ids[start:], others
