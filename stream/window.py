"""Day buckets as rows, and running totals over a span of them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

# A day bucket as it is stored: last_ms, count, gross, refunded, cost, peak, latest.
ROW = struct.Struct("<qiqqqqq")
ROW_BYTES = ROW.size
LAST_MS, COUNT, GROSS, REFUNDED, COST, PEAK, LATEST = range(7)


@dataclass(frozen=True, slots=True)
class Span:
    """A rolling window: the instants between *far* and *near* before now.

    Attributes:
        near_ms: Age at which a bucket enters the window; 0 for a window up to now.
        far_ms: Age at which it leaves; ``near_ms < far_ms``.
    """

    near_ms: int
    far_ms: int


class Window:
    """Running totals of the buckets that lie in one span; transient, rebuilt on load.

    Attributes:
        start: Index of the oldest bucket that has not left.
        end: One past the newest bucket that has entered.
        count: Surviving events.
        gross: Sum of values, minor units or the kind's own unit.
        refunded: Part of `gross` that was given back.
        cost: Sum of costs of surviving orders.
        peak: Largest single value, `MISSING` when there is none.
    """

    __slots__ = ("cost", "count", "end", "far_ms", "gross", "near_ms", "peak", "refunded", "start")

    def __init__(self, span: Span) -> None:
        self.near_ms = span.near_ms
        self.far_ms = span.far_ms
        self.start = self.end = 0
        self.count = self.gross = self.refunded = self.cost = 0
        self.peak = MISSING

    def clone(self) -> Window:
        """Return a copy that goes its own way."""
        twin = object.__new__(Window)
        twin.near_ms, twin.far_ms = self.near_ms, self.far_ms
        twin.start, twin.end = self.start, self.end
        twin.count, twin.gross = self.count, self.gross
        twin.refunded, twin.cost, twin.peak = self.refunded, self.cost, self.peak
        return twin

    def rebuild(self, rows: Sequence[Sequence[int]], now_ms: int) -> None:
        """Begin anew with the buckets of all *rows*, oldest first, that lie in the span now.

        A window up to now also holds what is ahead of *now_ms*: events may carry an instant a
        little after the record that brought them.
        """
        size, left_ms = len(rows), now_ms - self.far_ms
        start = 0
        while start < size and rows[start][LAST_MS] <= left_ms:
            start += 1
        end = size
        if self.near_ms:
            entered_ms, end = now_ms - self.near_ms, start
            while end < size and rows[end][LAST_MS] <= entered_ms:
                end += 1
        self.start, self.end = start, end
        self.count = self.gross = self.refunded = self.cost = 0
        self.peak = MISSING
        for row in rows[start:end]:
            self.take(row, 1)
            self.peak = max(self.peak, row[PEAK])

    def take(self, row: Sequence[int], sign: int) -> None:
        """Add a whole bucket (``sign`` 1) or remove it (``sign`` -1); not the peak."""
        self.count += sign * row[COUNT]
        self.gross += sign * row[GROSS]
        self.refunded += sign * row[REFUNDED]
        self.cost += sign * row[COST]
