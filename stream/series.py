"""Rolling windows over day buckets, for one kind of event of one customer.

A day bucket holds what one local calendar day's events add up to. All of a day's
events leave a window together, exactly *length* after the last of them: a customer
with at most one event a day is therefore exact to the millisecond, and nothing
special happens at midnight. Arrival order does not matter: late events go to
their own day, and the same events in any order give the same buckets.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import Struct

from stream.calendar import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.calendar import LocalDays
    from stream.ledger import OrderEntry

NEVER = 1 << 62
MISSING = -(1 << 62)

# A closed day bucket: last_ms, count, gross, refunded, cost, peak, latest.
_ROW = struct.Struct("<qiqqqqq")
_ROW_BYTES = _ROW.size
LAST_MS, COUNT, GROSS, REFUNDED, COST, PEAK, LATEST = range(7)
# A local day may have 25 hours, in places even 31, so a bucket is kept that much longer
# than any window.
_LONGEST_DAY_MS = 2 * DAY_MS


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

    def take(self, row: Sequence[int], sign: int) -> None:
        """Add a whole bucket (``sign`` 1) or remove it (``sign`` -1); not the peak."""
        self.count += sign * row[COUNT]
        self.gross += sign * row[GROSS]
        self.refunded += sign * row[REFUNDED]
        self.cost += sign * row[COST]


class Totals(Struct, array_like=True, gc=False):
    """What one kind of event amounts to over the customer's whole life.

    Attributes:
        count: Surviving events.
        gross: Sum of their values.
        refunded: Part of it that was given back.
        cost: Sum of costs of surviving orders.
        peak: Largest single value ever, surviving or not.
        first_ms: Instant of the earliest event ever.
        first_value: Its value.
        dropped_ms: Newest surviving bucket among those dropped for age.
        dropped_last_ms: Newest event among those dropped for age, surviving or not.
        dropped_latest: Its value.
    """

    count: int = 0
    gross: int = 0
    refunded: int = 0
    cost: int = 0
    peak: int = MISSING
    first_ms: int = NEVER
    first_value: int = MISSING
    dropped_ms: int = MISSING
    dropped_last_ms: int = MISSING
    dropped_latest: int = MISSING


class Series:
    """Day buckets of one kind of event, with any number of windows over them.

    `roll` must be called before windows are read at a later instant; instants
    given to one series never decrease.

    Attributes:
        totals: Lifetime figures.
        windows: Running totals in the order of the spans given.
        next_roll_ms: No window changes by time alone before this instant.
        joined_ms: Of what `add_recent` or `add_today` counted last: the instant from which
            the day that it joined would have aged without it.
    """

    __slots__ = (
        "_closed",
        "_day_end",
        "_day_start",
        "_days",
        "_open",
        "_retention_ms",
        "_undo",
        "_undo_today",
        "joined_ms",
        "near",
        "next_roll_ms",
        "totals",
        "windows",
    )

    def __init__(self, spans: Sequence[Span], retention_ms: int, days: LocalDays) -> None:
        """Keep buckets for at least *retention_ms*, and over every span."""
        self._days = days
        self._retention_ms = max([retention_ms, *(span.far_ms for span in spans)])
        self._closed = b""
        self._open: list[int] | None = None
        self._day_start = self._day_end = 0
        self._undo: tuple[object, ...] | None = None
        self._undo_today: tuple[list[int], int, list[int]] = ([], 0, [])
        self.totals = Totals()
        self.windows = [Window(span) for span in spans]
        self.near = [window for window in self.windows if window.near_ms == 0]
        self.next_roll_ms = NEVER
        self.joined_ms = NEVER

    # -- events ---------------------------------------------------------------

    def add(self, at_ms: int, now_ms: int, value: int, cost: int) -> None:
        """Count one event of *value* that happened at *at_ms*; any order is fine.

        Windows must have been rolled to *now_ms*.
        """
        if not self.add_recent(at_ms, now_ms, value, cost):
            self._add_late(at_ms, now_ms, value, cost)

    def add_recent(self, at_ms: int, now_ms: int, value: int, cost: int) -> bool:
        """Count an event of today or of a later day than all others; else do nothing.

        The common case, at a cost that does not depend on how much is kept: at least one
        event survives, and this one is not the earliest of all. Returns whether the event
        was counted; the last one can be taken back by `undo_add`.
        """
        totals = self.totals
        if at_ms < totals.first_ms or not totals.count:
            return False
        newest = self._open
        recent_ms = now_ms - DAY_MS
        if newest is not None and self._day_start <= at_ms < self._day_end:
            if newest[LAST_MS] <= recent_ms:
                return False
            self._undo = (
                self._closed,
                newest.copy(),
                self._day_start,
                self._day_end,
                totals.peak,
                totals.first_ms,
                totals.first_value,
            )
            self.joined_ms = newest[LAST_MS]
            if at_ms > newest[LAST_MS]:
                newest[LAST_MS] = at_ms
                newest[LATEST] = value
            elif at_ms == newest[LAST_MS] and value > newest[LATEST]:
                newest[LATEST] = value
            newest[COUNT] += 1
            newest[GROSS] += value
            newest[COST] += cost
            if value > newest[PEAK]:
                newest[PEAK] = value
        elif at_ms >= self._day_end and at_ms > recent_ms:
            self._undo = (
                self._closed,
                newest,
                self._day_start,
                self._day_end,
                totals.peak,
                totals.first_ms,
                totals.first_value,
            )
            self.joined_ms = at_ms
            self._open_day(at_ms, value, cost)
        else:
            return False
        for window in self.near:
            window.count += 1
            window.gross += value
            window.cost += cost
            if value > window.peak:
                window.peak = value
        totals.count += 1
        totals.gross += value
        totals.cost += cost
        if value > totals.peak:
            totals.peak = value
        if at_ms <= totals.first_ms:
            self._note_first(at_ms, value)
        return True

    def undo_add(self, value: int, cost: int) -> bool:
        """Take the last `add_recent` back; returns False if something happened since."""
        if self._undo is None:
            return False
        closed, newest, start, end, peak, first_ms, first_value = self._undo
        if newest is None or closed is not self._closed:
            for window in self.near:
                window.end -= 1
        self._closed, self._open = closed, newest  # type: ignore[assignment]
        self._day_start, self._day_end = start, end  # type: ignore[assignment]
        totals = self.totals
        totals.peak, totals.first_ms, totals.first_value = (  # type: ignore[assignment]
            peak,
            first_ms,
            first_value,
        )
        totals.count -= 1
        totals.gross -= value
        totals.cost -= cost
        for window in self.near:
            window.count -= 1
            window.gross -= value
            window.cost -= cost
            window.peak = self._peak_of(window)
        self._undo = None
        return True

    def add_today(self, orders: Sequence[OrderEntry], now_ms: int) -> bool:
        """Count several orders of the newest day at once; else do nothing and return False.

        The same as `add_recent` for each of them; `undo_today` takes all of them back.
        """
        newest = self._open
        totals = self.totals
        if newest is None or newest[LAST_MS] <= now_ms - DAY_MS or not totals.count:
            return False
        start, end = max(self._day_start, totals.first_ms + 1), self._day_end
        last_ms, latest, peak = newest[LAST_MS], newest[LATEST], newest[PEAK]
        gross = cost = 0
        for order in orders:
            at_ms, value = order.at_ms, order.paid_minor
            if not start <= at_ms < end:
                return False
            if at_ms > last_ms or (at_ms == last_ms and value > latest):
                last_ms, latest = at_ms, value
            if value > peak:
                peak = value
            gross += value
            cost += order.cost_minor
        count = len(orders)
        self._undo = None
        self._undo_today = (newest.copy(), totals.peak, [w.peak for w in self.near])
        self.joined_ms = newest[LAST_MS]
        newest[LAST_MS], newest[LATEST], newest[PEAK] = last_ms, latest, peak
        newest[COUNT] += count
        newest[GROSS] += gross
        newest[COST] += cost
        totals.count += count
        totals.gross += gross
        totals.cost += cost
        totals.peak = max(totals.peak, peak)
        for window in self.near:
            window.count += count
            window.gross += gross
            window.cost += cost
            window.peak = max(window.peak, peak)
        return True

    def undo_today(self) -> None:
        """Take the last `add_today` back; nothing else may have happened since."""
        newest, now = self._undo_today[0], self._open
        if now is None:
            raise RuntimeError
        count, gross, cost = (now[field] - newest[field] for field in (COUNT, GROSS, COST))
        self._open = newest
        totals = self.totals
        totals.count -= count
        totals.gross -= gross
        totals.cost -= cost
        totals.peak = self._undo_today[1]
        for window, peak in zip(self.near, self._undo_today[2], strict=True):
            window.count -= count
            window.gross -= gross
            window.cost -= cost
            window.peak = peak

    def adjust(self, at_ms: int, now_ms: int, change: tuple[int, int, int, int]) -> None:
        """Change the bucket of an event that happened at *at_ms* (a refund, a cancellation).

        *change* holds differences of count, gross, refunded and cost. Lifetime totals
        always change; a bucket that was dropped for age does not.
        """
        count, gross, refunded, cost = change
        totals = self.totals
        totals.count += count
        totals.gross += gross
        totals.refunded += refunded
        totals.cost += cost
        start, end = self._days.bounds_ms(at_ms)
        rows = list(self.rows())
        for row in rows:
            if start <= row[LAST_MS] < end:
                row[COUNT] += count
                row[GROSS] += gross
                row[REFUNDED] += refunded
                row[COST] += cost
                self._replace(rows, now_ms)
                return

    # -- time -----------------------------------------------------------------

    def roll(self, now_ms: int) -> None:
        """Let buckets enter and leave the windows up to *now_ms*."""
        self._undo = None
        if now_ms < self.next_roll_ms:
            return
        size = self._size()
        for window in self.windows:
            peak_left = False
            while window.end < size and self._row(window.end)[LAST_MS] + window.near_ms <= now_ms:
                row = self._row(window.end)
                window.take(row, 1)
                window.peak = max(window.peak, row[PEAK])
                window.end += 1
            while window.start < size and self._row(window.start)[LAST_MS] + window.far_ms <= now_ms:
                row = self._row(window.start)
                window.take(row, -1)
                peak_left = peak_left or row[PEAK] >= window.peak
                window.start += 1
            if peak_left:
                window.peak = self._peak_of(window)
        self._drop_old(now_ms)
        self.next_roll_ms = self._next_roll()

    def changes_of(self, window: Window) -> Iterator[tuple[int, Sequence[int], int]]:
        """Yield ``(instant, bucket, sign)`` as time alone changes *window*, in order.

        Describes the future if no further event comes. Two buckets may enter and
        leave at one instant.
        """
        size = self._size()
        leaving, entering = window.start, window.end
        while leaving < size:
            out_ms = self._row(leaving)[LAST_MS] + window.far_ms
            in_ms = self._row(entering)[LAST_MS] + window.near_ms if entering < size else NEVER
            if in_ms <= out_ms:
                yield in_ms, self._row(entering), 1
                entering += 1
            else:
                yield out_ms, self._row(leaving), -1
                leaving += 1

    # -- readings -------------------------------------------------------------

    def last_ms(self) -> int:
        """Return the instant of the newest surviving event, or `MISSING`."""
        newest = self._open
        if newest is not None and newest[COUNT] > 0 and newest[LAST_MS] > self.totals.dropped_ms:
            return newest[LAST_MS]
        return self._newest_surviving_ms()

    def latest(self) -> int:
        """Return the value of the newest event ever, surviving or not, or `MISSING`."""
        newest, totals = self._open, self.totals
        if newest is not None and newest[LAST_MS] > totals.dropped_last_ms:
            return newest[LATEST]
        return totals.dropped_latest

    def rows(self) -> Iterator[list[int]]:
        """Yield every kept day bucket, oldest first, as lists of seven integers."""
        for row in _ROW.iter_unpack(self._closed):
            yield list(row)
        if self._open is not None:
            yield list(self._open)

    # -- storage --------------------------------------------------------------

    def pack(self) -> tuple[Totals, bytes, list[int] | None]:
        """Return what must be stored: lifetime totals, closed buckets, open bucket."""
        return self.totals, self._closed, self._open

    def restore(
        self, totals: Totals, closed: bytes, newest: list[int] | None, now_ms: int
    ) -> None:
        """Take over what `pack` returned, and bring the windows to *now_ms*."""
        self.totals = totals
        self._closed = closed
        self._open = newest
        if newest is not None:
            self._day_start, self._day_end = self._days.bounds_ms(newest[LAST_MS])
        self._rebuild(now_ms)

    # -- inside ---------------------------------------------------------------

    def _open_day(self, at_ms: int, value: int, cost: int) -> None:
        if self._open is not None:
            self._closed += _ROW.pack(*self._open)
        self._open = [at_ms, 1, value, 0, cost, value, value]
        self._day_start, self._day_end = self._days.bounds_ms(at_ms)
        for window in self.windows:
            if window.near_ms == 0:
                window.end += 1
            changes_ms = at_ms + (window.near_ms or window.far_ms)
            self.next_roll_ms = min(self.next_roll_ms, changes_ms)

    def _add_late(self, at_ms: int, now_ms: int, value: int, cost: int) -> None:
        self._undo = None
        totals = self.totals
        totals.count += 1
        totals.gross += value
        totals.cost += cost
        totals.peak = max(totals.peak, value)
        if at_ms <= totals.first_ms:
            self._note_first(at_ms, value)
        start, end = self._days.bounds_ms(at_ms)
        if end + self._retention_ms <= now_ms:
            self._remember_dropped(at_ms, value, 1)
            return
        rows = list(self.rows())
        position = 0
        while position < len(rows) and rows[position][LAST_MS] < start:
            position += 1
        if position < len(rows) and rows[position][LAST_MS] < end:
            row = rows[position]
            if (at_ms, value) > (row[LAST_MS], row[LATEST]):
                row[LAST_MS], row[LATEST] = at_ms, value
            row[COUNT] += 1
            row[GROSS] += value
            row[COST] += cost
            row[PEAK] = max(row[PEAK], value)
        else:
            rows.insert(position, [at_ms, 1, value, 0, cost, value, value])
        self._replace(rows, now_ms)

    def _note_first(self, at_ms: int, value: int) -> None:
        totals = self.totals
        if at_ms < totals.first_ms or value < totals.first_value:
            totals.first_ms, totals.first_value = at_ms, value

    def _replace(self, rows: list[list[int]], now_ms: int) -> None:
        self._undo = None
        self._open = rows.pop()
        self._day_start, self._day_end = self._days.bounds_ms(self._open[LAST_MS])
        self._closed = b"".join(_ROW.pack(*row) for row in rows)
        self._rebuild(now_ms)

    def _rebuild(self, now_ms: int) -> None:
        self._undo = None
        for window in self.windows:
            window.start = window.end = 0
            window.count = window.gross = window.refunded = window.cost = 0
            window.peak = MISSING
        self.next_roll_ms = MISSING
        self.roll(now_ms)
        for window in self.near:
            # Events may carry an instant a little after the record that brought them.
            while window.end < self._size():
                row = self._row(window.end)
                window.take(row, 1)
                window.peak = max(window.peak, row[PEAK])
                window.end += 1
        self.next_roll_ms = self._next_roll()

    def _drop_old(self, now_ms: int) -> None:
        limit = now_ms - self._retention_ms - _LONGEST_DAY_MS
        dropped = 0
        for row in _ROW.iter_unpack(self._closed):
            if row[LAST_MS] > limit:
                break
            dropped += 1
            self._remember_dropped(row[LAST_MS], row[LATEST], row[COUNT])
        if dropped:
            self._closed = self._closed[dropped * _ROW_BYTES :]
            for window in self.windows:
                window.start -= dropped
                window.end -= dropped

    def _next_roll(self) -> int:
        size = self._size()
        soonest = NEVER
        for window in self.windows:
            if window.start < size:
                soonest = min(soonest, self._row(window.start)[LAST_MS] + window.far_ms)
            if window.end < size:
                soonest = min(soonest, self._row(window.end)[LAST_MS] + window.near_ms)
        return soonest

    def _size(self) -> int:
        return len(self._closed) // _ROW_BYTES + (self._open is not None)

    def _row(self, index: int) -> Sequence[int]:
        offset = index * _ROW_BYTES
        if offset < len(self._closed):
            return _ROW.unpack_from(self._closed, offset)
        if self._open is None:
            raise IndexError(index)
        return self._open

    def _peak_of(self, window: Window) -> int:
        return max(
            (self._row(i)[PEAK] for i in range(window.start, window.end)), default=MISSING
        )

    def _remember_dropped(self, at_ms: int, value: int, count: int) -> None:
        totals = self.totals
        if count > 0:
            totals.dropped_ms = max(totals.dropped_ms, at_ms)
        if (at_ms, value) > (totals.dropped_last_ms, totals.dropped_latest):
            totals.dropped_last_ms, totals.dropped_latest = at_ms, value

    def _newest_surviving_ms(self) -> int:
        for index in range(self._size() - 1, -1, -1):
            row = self._row(index)
            if row[COUNT] > 0:
                return max(self.totals.dropped_ms, row[LAST_MS])
        return self.totals.dropped_ms
