"""The newest tier changes in memory, and cursors that mean the same after a restart.

A cursor names the next offset to read of every partition, ``15.0.22``: it depends on the topic
alone, so another process, or the same one started again, goes on exactly where it points.
"""

from __future__ import annotations

import heapq
import re
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CURSOR = r"^[0-9]{1,15}(\.[0-9]{1,15})*$"
_CURSOR = re.compile(CURSOR, re.ASCII)


class GoneError(Exception):
    """What comes after a cursor is not kept any more, or the cursor is of another topic."""


class Told(NamedTuple):
    """What is looked at of one change: when it became true, whose, of what, and which way."""

    at_ms: int
    customer_id: str
    grading: str
    direction: str


class Kept(NamedTuple):
    """One change as it was published.

    Attributes:
        at_ms: When it became true.
        serial: 0, 1, 2, ... in the order in which they were read here.
        partition: Of `tier-changes`.
        offset: In that partition.
        customer_id: Whose.
        grading: Of the change.
        direction: Of the change.
        value: The record, JSON.
    """

    at_ms: int
    serial: int
    partition: int
    offset: int
    customer_id: str
    grading: str
    direction: str
    value: bytes


def _by_time(kept: Kept) -> tuple[int, int]:
    return kept.at_ms, kept.serial


def cursor_text(offsets: Sequence[int]) -> str:
    """Return the cursor that points behind *offsets*, the next one to read by partition.

    >>> cursor_text([15, 0, 22])
    '15.0.22'
    """
    return ".".join(map(str, offsets))


def parse_cursor(text: str, partitions: int) -> list[int]:
    """Return the offsets that a cursor names.

    Raises:
        ValueError: It is not a cursor.
        GoneError: It is one of another number of partitions.
    """
    if not _CURSOR.fullmatch(text):
        raise ValueError(text)
    offsets = [int(part) for part in text.split(".")]
    if len(offsets) != partitions:
        raise GoneError(text)
    return offsets


class Recent:
    """The last changes, at most *capacity*.

    Attributes:
        next: The next offset that will be read here, by partition.
        next_serial: Serial of the next change.
    """

    def __init__(self, firsts: Sequence[int], capacity: int) -> None:
        """Begin with what comes at the offsets *firsts*, by partition."""
        self.next = list(firsts)
        self.next_serial = 0
        self._firsts = list(firsts)
        self._capacity = capacity
        self._kept: deque[Kept] = deque()

    def take(self, partition: int, offset: int, change: Told, value: bytes) -> None:
        """Keep one change; those of a partition come in order."""
        kept = Kept(change.at_ms, self.next_serial, partition, offset, *change[1:], value)
        self._kept.append(kept)
        self.next_serial += 1
        self.next[partition] = offset + 1
        if len(self._kept) > self._capacity:
            oldest = self._kept.popleft()
            self._firsts[oldest.partition] = oldest.offset + 1

    def passed(self, partition: int, offset: int) -> None:
        """Note that nothing before *offset* will come any more."""
        self.next[partition] = max(self.next[partition], offset)

    def forget(self, gone: Callable[[str], bool]) -> None:
        """Drop the changes of customers of whom *gone* says so."""
        self._kept = deque(one for one in self._kept if not gone(one.customer_id))

    def check(self, offsets: Sequence[int]) -> None:
        """See that everything behind *offsets* is kept.

        Raises:
            GoneError: It is not, or the topic has never come so far.
        """
        bounds = zip(self._firsts, offsets, self.next, strict=True)
        if not all(first <= offset <= upto for first, offset, upto in bounds):
            raise GoneError(cursor_text(offsets))

    def after(self, offsets: Sequence[int], serial: int = 0) -> Iterator[Kept]:
        """Yield what is kept at or behind *offsets*, from *serial* on, in the order of reading."""
        skip = 0
        if self._kept:  # serials have no gaps but those of forgotten customers
            skip = max(0, serial - self._kept[0].serial - self._holes())
        for one in islice(self._kept, skip, None):
            if one.serial >= serial and one.offset >= offsets[one.partition]:
                yield one

    def newest(self, most: int, wanted: Callable[[Kept], bool]) -> list[Kept]:
        """Return the newest *most* changes that are *wanted*, oldest first.

        By when they became true: in a topic that was read from its beginning, partitions
        come one after the other.
        """
        found = heapq.nlargest(most, filter(wanted, self._kept), key=_by_time)
        return found[::-1]

    def _holes(self) -> int:
        return self._kept[-1].serial - self._kept[0].serial + 1 - len(self._kept)
